/*
 * Logs what a driver does with an SMMUv3, for its unit test: a trace in the format pgtable-trace/1, as JSON lines (docs/smmu-traces.md), that lpae reads.
 * C99 or later, or C++; nothing but the C library.
 *
 *	struct lpae_smmu_trace trace;
 *	lpae_smmu_trace_begin(&trace, file, &machine);
 *	lpae_smmu_trace_write64(&trace, 0x40000040, ste[0]);
 *	lpae_smmu_trace_barrier(&trace);
 *	lpae_smmu_trace_mmio(&trace, "CR0", 1);
 *	if (lpae_smmu_trace_end(&trace))
 *		...
 *
 * Call it where the driver's own writel, dma_wmb and so on are replaced for the test. One thread at a time. Every function returns 0,
 * or -1 if nothing was logged or the file can't be written.
 */
#ifndef LPAE_SMMU_TRACE_H
#define LPAE_SMMU_TRACE_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

/* The SMMU at reset: its ID registers (IHI 0070 6.3), the address of its register pages, and the memory that addresses lie in. */
struct lpae_smmu_machine {
	const char *name; /* of the trace */
	uint64_t base, ram_base, ram_size;
	uint32_t idr0, idr1, idr3, idr5, aidr, gbpa;
};

struct lpae_smmu_trace {
	FILE *file;
	uint64_t steps;
};

static inline int lpae_smmu_trace_failed(const struct lpae_smmu_trace *trace)
{
	return ferror(trace->file) ? -1 : 0;
}

/* Writes text as a JSON string. */
static inline void lpae_smmu_trace_string(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(file, "\\u%04x", (unsigned int)*text);
		else
			fputc(*text, file);
	}
	fputc('"', file);
}

/* Begins a trace. All memory is 0 before the first step: write what is there before. */
static inline int lpae_smmu_trace_begin(struct lpae_smmu_trace *trace, FILE *file,
					const struct lpae_smmu_machine *machine)
{
	if (file == NULL || machine->ram_size == 0)
		return -1;
	trace->file = file;
	trace->steps = 0;
	fputs("{\"schema\": \"pgtable-trace/1\", \"kind\": \"smmuv3\", \"name\": ", file);
	lpae_smmu_trace_string(file, machine->name != NULL ? machine->name : "a driver's test");
	fputs(", \"machine\": {", file);
	if (machine->base != 0)
		fprintf(file, "\"base\": \"0x%" PRIx64 "\", ", machine->base);
	fprintf(file,
		"\"idr0\": \"0x%" PRIx32 "\", \"idr1\": \"0x%" PRIx32 "\", \"idr3\": \"0x%" PRIx32
		"\", \"idr5\": \"0x%" PRIx32 "\", \"aidr\": \"0x%" PRIx32 "\", \"gbpa\": \"0x%" PRIx32
		"\", \"ram\": {\"base\": \"0x%" PRIx64 "\", \"size\": \"0x%" PRIx64 "\"}}}\n",
		machine->idr0, machine->idr1, machine->idr3, machine->idr5, machine->aidr, machine->gbpa,
		machine->ram_base, machine->ram_size);
	return lpae_smmu_trace_failed(trace);
}

/* Logs a write of a 64-bit word of memory: a descriptor, a word of an STE or CD, half of a command. pa: a multiple of 8. */
static inline int lpae_smmu_trace_write64(struct lpae_smmu_trace *trace, uint64_t pa, uint64_t value)
{
	if (pa % 8 != 0)
		return -1;
	trace->steps++;
	fprintf(trace->file, "{\"write64\": \"0x%" PRIx64 "\", \"value\": \"0x%" PRIx64 "\"}\n", pa, value);
	return lpae_smmu_trace_failed(trace);
}

static inline int lpae_smmu_trace_register(struct lpae_smmu_trace *trace, const char *kind, const char *name,
					   const char *member, uint64_t value)
{
	trace->steps++;
	fprintf(trace->file, "{\"%s\": ", kind);
	lpae_smmu_trace_string(trace->file, name);
	fprintf(trace->file, ", \"%s\": \"0x%" PRIx64 "\"}\n", member, value);
	return lpae_smmu_trace_failed(trace);
}

/* Logs a write of a register, by its name in IHI 0070 6.2: "CMDQ_PROD", or half of a 64-bit one: "CMDQ_BASE[31:0]". */
static inline int lpae_smmu_trace_mmio(struct lpae_smmu_trace *trace, const char *name, uint64_t value)
{
	return lpae_smmu_trace_register(trace, "mmio", name, "value", value);
}

/* Logs a read of a register, and what it gave. */
static inline int lpae_smmu_trace_read(struct lpae_smmu_trace *trace, const char *name, uint64_t got)
{
	return lpae_smmu_trace_register(trace, "read", name, "got", got);
}

/* Logs a read of a 64-bit word of memory that the SMMU writes, as where the MSI of a CMD_SYNC goes, and what it gave. pa: a multiple of 8. */
static inline int lpae_smmu_trace_read64(struct lpae_smmu_trace *trace, uint64_t pa, uint64_t got)
{
	if (pa % 8 != 0)
		return -1;
	trace->steps++;
	fprintf(trace->file, "{\"read64\": \"0x%" PRIx64 "\", \"got\": \"0x%" PRIx64 "\"}\n", pa, got);
	return lpae_smmu_trace_failed(trace);
}

/* Logs that the driver takes an interrupt of the SMMU: "CMD_SYNC", "EVENTQ", "PRIQ" or "GERROR". */
static inline int lpae_smmu_trace_interrupt(struct lpae_smmu_trace *trace, const char *source)
{
	trace->steps++;
	fputs("{\"interrupt\": ", trace->file);
	lpae_smmu_trace_string(trace->file, source);
	fputs("}\n", trace->file);
	return lpae_smmu_trace_failed(trace);
}

/* Logs a barrier: all writes before it can be observed by the SMMU. */
static inline int lpae_smmu_trace_barrier(struct lpae_smmu_trace *trace)
{
	trace->steps++;
	fputs("{\"barrier\": true}\n", trace->file);
	return lpae_smmu_trace_failed(trace);
}

/* Logs a transaction of a device: its StreamID, address, whether it writes, and its size in bytes (0: not known). */
static inline int lpae_smmu_trace_access(struct lpae_smmu_trace *trace, uint32_t sid, uint64_t iova,
					 int is_write, uint32_t size)
{
	trace->steps++;
	fprintf(trace->file,
		"{\"access\": {\"sid\": %" PRIu32 ", \"iova\": \"0x%" PRIx64
		"\", \"rw\": \"%s\", \"size\": %" PRIu32 "}}\n",
		sid, iova, is_write ? "write" : "read", size);
	return lpae_smmu_trace_failed(trace);
}

/* Ends the trace, so that a file that was cut off is told from a whole one. The file stays open. */
static inline int lpae_smmu_trace_end(struct lpae_smmu_trace *trace)
{
	fprintf(trace->file, "{\"end\": %" PRIu64 "}\n", trace->steps);
	return fflush(trace->file) != 0 || ferror(trace->file) ? -1 : 0;
}

#endif
