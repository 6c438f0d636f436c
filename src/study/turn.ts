/** A turn of the event loop, between two results: so that whoever asks can show how far it is, and stop. */

export function turn(): Promise<void> {
  // Browsers have no setImmediate. There a timer may wait for some milliseconds.
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve);
  });
}
