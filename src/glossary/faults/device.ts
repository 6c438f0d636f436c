/** The device that a line of Linux's log is about: `panfrost ff9a0000.gpu: Unhandled …`. */

const DEVICE = /(?:^|[\s(])([\w-]{1,40}\.[\w-]{1,40}): (?:\[drm\] \*ERROR\* )?$/;
/** So much before a message is looked at: the search stays short, whatever the line. */
const REACH = 100;

/** The name that stands before the message which begins at `at`. */
export function deviceBefore(line: string, at: number): string | undefined {
  return DEVICE.exec(line.slice(Math.max(0, at - REACH), at))?.[1];
}
