/** The device that a line of Linux's log is about: `panfrost ff9a0000.gpu: Unhandled …`. */

const DEVICE = /(?:^|[\s(])([\w-]{1,40}\.[\w-]{1,40}): (?:\[drm\] \*ERROR\* )?$/;
/** How many characters before a message are searched, so that long lines stay fast. */
const REACH = 100;

/** The device name in front of the message that begins at `at`. */
export function deviceBefore(line: string, at: number): string | undefined {
  return DEVICE.exec(line.slice(Math.max(0, at - REACH), at))?.[1];
}
