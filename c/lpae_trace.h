/*
 * Logs what code does to live page tables, so that `lpae bbm` can judge it by the break-before-make rules: a trace in the
 * format lpae.trace/1 (docs/traces.md). For unit tests that run on any host; C99 or later, nothing but the C library.
 *
 *	struct lpae_trace trace;
 *	lpae_trace_begin(&trace, file, tables, sizeof tables, 0x80000000, &registers);
 *	lpae_trace_write(&trace, &tables[3], 0);           // the break
 *	lpae_trace_tlbi(&trace, "vale1is", va >> 12);
 *	lpae_trace_barrier(&trace, "dsb ish");
 *	lpae_trace_write(&trace, &tables[3], descriptor);  // the make
 *	if (lpae_trace_end(&trace))
 *		...
 *
 * One thread at a time. Every function returns 0, or -1 if nothing was done or the file can't be written.
 */
#ifndef LPAE_TRACE_H
#define LPAE_TRACE_H

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What the hardware's registers would hold, by the names of lpae. A register that is 0 is not set. */
struct lpae_registers {
	const char *regime; /* "el1&0" (also if NULL), "el2", "el2&0", "el3", "el1&0-s2" */
	uint64_t ttbr0, ttbr1, tcr, mair, sctlr, vttbr, vtcr, hcr;
};

struct lpae_trace {
	FILE *file;
	uint64_t *tables; /* the host's buffer */
	size_t bytes;     /* its size */
	uint64_t base;    /* the physical address that stands for its first byte */
	size_t steps;
};

static inline void lpae_trace_register(FILE *file, const char *name, uint64_t value, int *count)
{
	if (value != 0)
		fprintf(file, "%s\"%s\": \"0x%" PRIx64 "\"", (*count)++ > 0 ? ", " : "", name, value);
}

/*
 * Begins a trace. tables: the buffer that the code under test takes for physical memory, 8-byte aligned; bytes: its size;
 * base: the physical address of its first byte, a multiple of 8. Words in it that are not 0 are what was there before the first step.
 */
static inline int lpae_trace_begin(struct lpae_trace *trace, FILE *file, void *tables, size_t bytes,
				   uint64_t base, const struct lpae_registers *registers)
{
	const char *separator = "";
	int count = 0;

	if (file == NULL || (uintptr_t)tables % 8 != 0 || base % 8 != 0)
		return -1;
	trace->file = file;
	trace->tables = (uint64_t *)tables;
	trace->bytes = bytes;
	trace->base = base;
	trace->steps = 0;
	fprintf(file, "{\n\"schema\": \"lpae.trace/1\",\n\"regime\": \"%s\",\n\"registers\": { ",
		registers->regime != NULL ? registers->regime : "el1&0");
	lpae_trace_register(file, "ttbr0", registers->ttbr0, &count);
	lpae_trace_register(file, "ttbr1", registers->ttbr1, &count);
	lpae_trace_register(file, "tcr", registers->tcr, &count);
	lpae_trace_register(file, "mair", registers->mair, &count);
	lpae_trace_register(file, "sctlr", registers->sctlr, &count);
	lpae_trace_register(file, "vttbr", registers->vttbr, &count);
	lpae_trace_register(file, "vtcr", registers->vtcr, &count);
	lpae_trace_register(file, "hcr", registers->hcr, &count);
	fprintf(file, " },\n\"memory\": [");
	for (size_t i = 0; i < bytes / 8; i++) {
		if (trace->tables[i] == 0)
			continue;
		fprintf(file, "%s\n[\"0x%" PRIx64 "\", \"0x%" PRIx64 "\"]", separator, base + 8 * i, trace->tables[i]);
		separator = ",";
	}
	fprintf(file, "],\n\"steps\": [");
	return ferror(file) ? -1 : 0;
}

static inline void lpae_trace_next(struct lpae_trace *trace)
{
	fprintf(trace->file, "%s\n", trace->steps++ > 0 ? "," : "");
}

/* Writes a descriptor, and logs the write. entry must be one of the buffer's words; otherwise nothing is written. */
static inline int lpae_trace_write(struct lpae_trace *trace, uint64_t *entry, uint64_t value)
{
	const uintptr_t first = (uintptr_t)trace->tables;
	const uintptr_t at = (uintptr_t)entry;

	if (at < first || at - first >= trace->bytes || (at - first) % 8 != 0)
		return -1;
	*(volatile uint64_t *)entry = value;
	lpae_trace_next(trace);
	fprintf(trace->file, "{ \"write\": \"0x%" PRIx64 "\", \"value\": \"0x%" PRIx64 "\" }",
		trace->base + (at - first), value);
	return ferror(trace->file) ? -1 : 0;
}

/* Logs a TLBI: operation as in "vale1is", operand as the register Xt holds it (0 for those that take none). */
static inline int lpae_trace_tlbi(struct lpae_trace *trace, const char *operation, uint64_t operand)
{
	lpae_trace_next(trace);
	fprintf(trace->file, "{ \"tlbi\": \"%s\", \"operand\": \"0x%" PRIx64 "\" }", operation, operand);
	return ferror(trace->file) ? -1 : 0;
}

/* Logs a barrier: "dsb ishst", "dsb ish", "isb". */
static inline int lpae_trace_barrier(struct lpae_trace *trace, const char *barrier)
{
	lpae_trace_next(trace);
	fprintf(trace->file, "{ \"barrier\": \"%s\" }", barrier);
	return ferror(trace->file) ? -1 : 0;
}

/* Ends the trace. The file stays open. */
static inline int lpae_trace_end(struct lpae_trace *trace)
{
	fprintf(trace->file, "\n]\n}\n");
	return fflush(trace->file) != 0 || ferror(trace->file) ? -1 : 0;
}

#endif
