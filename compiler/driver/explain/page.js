// Lights up what shares a kernel with the element under the pointer.
for (const section of document.querySelectorAll('section')) {
  const linked = [...section.querySelectorAll('[data-k]')];
  const keysOf = (element) => element.dataset.k.split(' ').filter((key) => key !== '');
  const light = (keys) => {
    for (const element of linked) {
      element.classList.toggle('lit', keysOf(element).some((key) => keys.includes(key)));
    }
  };
  for (const element of linked) {
    element.addEventListener('mouseenter', () => light(keysOf(element)));
    element.addEventListener('mouseleave', () => light([]));
  }
}
