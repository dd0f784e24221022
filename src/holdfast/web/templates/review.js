// Keys for the review page. Everything here also works with a mouse or a finger, and without this script.
"use strict";

const help = document.getElementById("help");
const note = document.querySelector("textarea[name=note]");
let sent = false;

function writing(target) {
  return target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
}

// Space reads on in whatever has the focus, as everywhere; where nothing has it, in the answers.
function read(back) {
  for (const box of document.querySelectorAll(".answer")) box.scrollBy(0, (back ? -0.85 : 0.85) * box.clientHeight);
}

function press(key) {
  if (key === "n") {
    note.focus();
  } else if (key === "r") {
    const rubric = document.getElementById("rubric");
    rubric.open = !rubric.open;
  } else {
    const target = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
    if (!target || target.disabled) return false;
    target.click();
  }
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
  if (writing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (sent) return;
  if (help.open) {
    if (event.key === "?") help.close();
    return;
  }
  if (event.key === " " && event.target === document.body) read(event.shiftKey);
  if (press(event.key)) event.preventDefault();
});

document.getElementById("help-button").addEventListener("click", () => help.showModal());
// One answer per page: a second one, sent before the next page is there, would be about the same question.
document.addEventListener("submit", (event) => {
  if (event.target.method === "dialog") return;
  if (sent) event.preventDefault();
  sent = true;
});
// Back from the browser's memory of pages, where `sent` is still set.
window.addEventListener("pageshow", () => {
  sent = false;
});
