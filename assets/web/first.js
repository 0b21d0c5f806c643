// The first frame of the hub holds its head alone; the wall and the typefaces come with the second. They take as long as all
// before them, and a page that shows its name at once is felt to be there. Without scripts nothing is held back.
(() => {
  const root = document.documentElement;
  root.classList.add("early");
  const second = () => {
    root.classList.remove("early");
    document.getElementById("faces").media = "all";
  };
  document.addEventListener("readystatechange", () => requestAnimationFrame(() => setTimeout(second)), { once: true });
})();
