// GNUstep asks for the header of libobjc2; with GCC's runtime blocks are those of libBlocksRuntime.
#include <Block.h>
