/*
 * A table builder as a firmware's author writes one: the largest leaves that fit. (DDI 0487 D8.3.1.) On stdin: log2 of the granule and the start level;
 * then for each root its number of regions, and for each region where it lies, where it leads, its size, and the descriptor's bits beside address
 * and type. The file that is named gets the memory of the tables; stdout gets the addresses of the roots.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BASE 0x40000000ull
#define BYTES (1ull << 24)
#define NEXT_TABLE 0xfffffffff000ull

static uint64_t ram[BYTES / 8];
static uint64_t used;
static int granule, start;

static uint64_t new_table(void)
{
	uint64_t at = BASE + used;

	used += 1ull << granule;
	if (used > BYTES)
		exit(2);
	return at;
}

static void map(uint64_t table, int level, uint64_t va, uint64_t pa, uint64_t size, uint64_t bits)
{
	int shift = granule + (3 - level) * (granule - 3);
	uint64_t span = 1ull << shift;
	int blocks = level == 2 || (level == 1 && granule == 12);

	while (size > 0) {
		uint64_t part = span - (va & (span - 1));
		uint64_t *entry = &ram[(table - BASE) / 8 + ((va >> shift) & ((1ull << (granule - 3)) - 1))];

		if (part > size)
			part = size;
		if (level == 3) {
			*entry = pa | bits | 3;
		} else if (blocks && part == span && (pa & (span - 1)) == 0) {
			*entry = pa | bits | 1;
		} else {
			if ((*entry & 1) == 0)
				*entry = new_table() | 3;
			map(*entry & NEXT_TABLE, level + 1, va, pa, part, bits);
		}
		va += part;
		pa += part;
		size -= part;
	}
}

int main(int argc, char **argv)
{
	int regions;
	FILE *file;

	if (argc != 2 || scanf("%d %d", &granule, &start) != 2)
		return 1;
	while (scanf("%d", &regions) == 1) {
		uint64_t root = new_table();

		while (regions-- > 0) {
			uint64_t va, pa, size, bits;

			if (scanf("%" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &va, &pa, &size, &bits) != 4)
				return 1;
			map(root, start, va, pa, size, bits);
		}
		printf("%" PRIx64 "\n", root);
	}
	file = fopen(argv[1], "wb");
	return file == NULL || fwrite(ram, 1, used, file) != used || fclose(file) != 0;
}
