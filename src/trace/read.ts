/** Reads what a driver did from any source that is known here: a trace, a log of QEMU, or events of Linux. */
import type { SmmuTrace } from '../smmu/trace.ts';
import { parseSmmuTraceText } from './lines.ts';
import { type IommuEvent, isLinuxEvents, type LinuxEventsOptions, parseLinuxEvents } from './linux-events.ts';
import { isQemuSmmuLog, parseQemuLog, type QemuLogOptions } from './qemu-log.ts';

/** What the caller knows of the machine, for logs that don't say it. */
export type ReadTraceOptions = QemuLogOptions & LinuxEventsOptions;

/** A trace, and what its source does not say: nothing for a file of `pgtable-trace/1`. */
export interface AnyTrace {
  readonly trace: SmmuTrace;
  readonly source: 'trace' | 'qemu' | 'linux';
  readonly notes: readonly string[];
  /** Of Linux's events: calls of the IOMMU API between the steps. */
  readonly events?: readonly IommuEvent[];
}

/**
 * Reads a text by what is in it.
 * @throws SmmuTraceError for a text that is none of these, or that no run can have left.
 */
export function readSmmuTrace(text: string, options: ReadTraceOptions = {}): AnyTrace {
  if (/^\s*\{/.test(text)) return { trace: parseSmmuTraceText(text), source: 'trace', notes: [] };
  if (isQemuSmmuLog(text)) return { ...parseQemuLog(text, options), source: 'qemu' };
  if (isLinuxEvents(text)) return { ...parseLinuxEvents(text, options), source: 'linux' };
  return { trace: parseSmmuTraceText(text), source: 'trace', notes: [] };
}
