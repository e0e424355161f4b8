// What is pressed must still be there when it is let go of, or the browser sees no click.

let pressed = false;
let waiting = null;

function letGo() {
  // After the click, which follows.
  setTimeout(() => {
    pressed = false;
    const draw = waiting;
    waiting = null;
    draw?.();
  });
}

document.addEventListener("pointerdown", () => { pressed = true; }, true);
for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, letGo, true);
window.addEventListener("blur", letGo); // of the window alone: a press takes the focus from what had it

/** Call `draw` at once, or when what is pressed has been let go of; of several, the last. */
export function unpressed(draw) {
  if (pressed) waiting = draw;
  else draw();
}
