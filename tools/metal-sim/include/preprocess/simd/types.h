// Empty: the whole library is read after the preprocessor.
