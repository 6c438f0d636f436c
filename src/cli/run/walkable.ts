/** Whether hardware of the size that a request names can walk its tables, and what would make it so. (DDI 0487 D8.1.10, D8.2.2.) */
import type { RegisterProblem } from '../../describe/index.ts';
import { obstaclesOf } from '../../describe/obstacles.ts';
import type { IommuDomain } from '../../index.ts';
import { FormatError } from '../../index.ts';
import { hardwareSizes } from '../../iommu/domain-registers.ts';
import { unwalkableText } from '../../text/unwalkable.ts';
import type { MapRequest } from '../input/request.ts';

/** One register field that keeps the hardware from walking. */
export interface Unwalkable {
  readonly problem: RegisterProblem;
  readonly paBits: number;
  /** What would do, if a change of the root does. */
  readonly remedy: string | undefined;
  /** All of it as a sentence. */
  readonly text: string;
}

/** Why no walk can begin: nothing where one can. */
export function unwalkableOf(domain: IommuDomain, request: MapRequest): Unwalkable[] {
  const { hardware } = domain.registers;
  const { paBits } = hardware.cpu;
  const obstacles = obstaclesOf(hardware);
  if (obstacles.length === 0) return [];
  const remedy = remedyOf(domain, request);
  return obstacles.map((problem) => {
    const text = unwalkableText(paBits, problem);
    return { problem, paBits, remedy, text: remedy === undefined ? text : `${text}; ${remedy}` };
  });
}

/** The first change that gives a root which the hardware walks: other concatenation, then fewer bits of input. */
function remedyOf({ format }: IommuDomain, { format: module, options }: MapRequest): string | undefined {
  if (format.concatenation === undefined) return undefined;
  const { partialUnmap: _, allocator: __, ...request } = options;
  const mandatory = { ...request, concatenation: 'mandatory' } as const;
  const fewer = { ...mandatory, ias: Math.min(format.ias, format.oas) };
  for (const [change, said] of [
    [mandatory, 'concatenation "mandatory"'],
    [fewer, `ias ${fewer.ias} and concatenation "mandatory"`],
  ] as const) {
    try {
      const made = module.configure(change);
      const hardware = { ...made.registers(0n).hardware, ...hardwareSizes(made) };
      if (obstaclesOf(hardware).length === 0) {
        return `with ${said} the walk would start at level ${made.levels[0]!.level}, which such hardware does`;
      }
    } catch (error) {
      // A change that the format refuses is none.
      if (!(error instanceof FormatError)) throw error;
    }
  }
  return undefined;
}
