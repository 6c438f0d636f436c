/** Ctrl-C as soon as a command listens for it: before its first result, however fast or slow the machine is. */
export function interruptWhenHeard(): void {
  const heard = (event: string | symbol) => {
    if (event !== 'SIGINT') return;
    process.off('newListener', heard);
    process.nextTick(() => process.emit('SIGINT'));
  };
  process.on('newListener', heard);
}
