// The pictures of one tag, by step.

class Gallery {
  constructor(tag, source) {
    [this.tag, this.source] = [tag, source];
    this.slider = element("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": `step of ${tag}` });
    this.label = element("span", { class: "step" });
    this.earlier = element("button", { type: "button", "aria-label": "earlier" }, "‹");
    this.later = element("button", { type: "button", "aria-label": "later" }, "›");
    this.pictures = element("div", { class: "pictures" });
    this.card = element(
      "section", { class: "card gallery", "data-tag": tag },
      element(
        "header", {}, element("h2", {}, tag.charAt(0).toUpperCase() + tag.slice(1)), this.label, this.earlier,
        this.slider, this.later),
      this.pictures);
    this.sets = [];
    this.slider.addEventListener("input", () => this.show(Number(this.slider.value)));
    this.earlier.addEventListener("click", () => this.show(this.index - 1));
    this.later.addEventListener("click", () => this.show(this.index + 1));
  }

  // Whoever looks at the newest pictures goes on to newer ones; else the step in view stays.
  update(sets) {
    const step = this.sets[this.index]?.step;
    const isAtEnd = step === undefined || this.index === this.sets.length - 1;
    this.sets = sets;
    const kept = sets.findLastIndex((set) => set.step <= step);
    this.slider.max = sets.length - 1;
    this.card.dataset.sets = sets.length;
    this.show(isAtEnd ? sets.length - 1 : Math.max(kept, 0));
  }

  show(index) {
    this.index = Math.min(Math.max(index, 0), this.sets.length - 1);
    const set = this.sets[this.index];
    this.slider.value = this.index;
    this.earlier.disabled = this.index === 0;
    this.later.disabled = this.index === this.sets.length - 1;
    this.label.textContent = `step ${set.step.toLocaleString("en")}`;
    this.card.dataset.step = set.step;
    const key = JSON.stringify(set);
    if (key === this.shown) return;
    this.shown = key;
    this.pictures.replaceChildren(...set.images.map((image) => {
      const picture = element("img", {
        src: this.source(image.file), alt: image.caption, width: image.width, height: image.height,
        style: `aspect-ratio: ${image.width} / ${image.height}; height: auto`,
      });
      picture.addEventListener("click", () => this.enlarge(picture.src, image.caption, set.step));
      return element("figure", {}, picture, element("figcaption", {}, image.caption));
    }));
  }

  enlarge(source, caption, step) {
    const viewer = document.getElementById("viewer");
    viewer.querySelector("img").src = source;
    viewer.querySelector("p").textContent = `step ${step}: ${caption}`;
    viewer.addEventListener("click", () => viewer.close(), { once: true });
    viewer.showModal();
  }
}
