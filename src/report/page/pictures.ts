/** The pictures in a report: tables, address space and a descriptor of the combination that suits the workload best. */
import { longDescriptor } from '../../../formats/lpae/fields.ts';
import { addressSpace, descriptor, icicle, iciclePanels } from '../../draw/index.ts';
import { listSpace } from '../../space/space.ts';
import { treeOfTarget } from '../../space/tree-read.ts';
import { stageText } from '../../study/combination-words.ts';
import { bestCombination } from '../../study/conclusions.ts';
import { makeTables } from '../../study/tlb/tables.ts';
import { spacesOf, type Workload } from '../../study/workload.ts';
import type { WorkloadStudy } from '../../study/workload-study.ts';
import { hex, hexWord, sizeText } from '../../text/numbers.ts';
import type { Walker } from '../../walker/index.ts';
import { html } from './html.ts';
import { figure, paragraph, type Section } from './section.ts';

/** Pictures for the first CPU page size with a combination that maps everything. */
export function picturesSection(studies: readonly WorkloadStudy[]): Section[] {
  for (const study of studies) {
    const best = bestCombination(study);
    if (best !== undefined) return ofTables(study.workload, best.combination);
  }
  return [];
}

type Combination = NonNullable<ReturnType<typeof bestCombination>>['combination'];

function ofTables(workload: Workload, combination: Combination): Section[] {
  const { granule, sizes, stage } = combination;
  const space = busiest(workload);
  const first = space.requests.find(({ sg }) => sg.byteLength > 0n);
  if (first === undefined) return [];
  const { walker } = makeTables(space, combination);
  const part =
    space.requests.length < workload.requests.length
      ? `, for the address space with the most entries (${space.requests.length} of ${workload.requests.length} requests)`
      : '';
  const body = html`${paragraph(
    `The combination that takes the fewest TLB entries: ${sizeText(granule)} granule, ${sizes}, ${stageText(stage)}, with CPU pages of ${sizeText(workload.cpuPageSize)}${part}.`,
  )}
${figure(icicle(iciclePanels(treeOfTarget(walker).tree(), walker), { title: 'The tables', width: 992 }))}
${figure(addressSpace(listSpace(walker), walker.regime, { title: 'What they map' }))}
${leafOf(walker, first.iova, granule)}`;
  return [{ id: 'pictures', title: 'What the tables look like', body }];
}

/** The requests of the space with the most entries that map something. Other spaces look similar, but smaller. */
function busiest(workload: Workload): Workload {
  const spaces = [...spacesOf(workload).values()].map((indexes) =>
    indexes.map((index) => workload.requests[index]!),
  );
  const entries = (requests: (typeof spaces)[number]) =>
    requests.reduce((sum, { sg }) => sum + (sg.byteLength > 0n ? sg.count : 0), 0);
  return { ...workload, requests: spaces.reduce((a, b) => (entries(b) > entries(a) ? b : a)) };
}

/** The leaf that maps the first byte. */
function leafOf(walker: Walker, iova: bigint, granule: number) {
  const leaf = walker.walk(iova, { access: 'read' }).steps.at(-1);
  if (leaf?.descriptor === undefined || (leaf.kind !== 'block' && leaf.kind !== 'page')) return false;
  const layout = longDescriptor(leaf.kind, {
    stage: leaf.stage,
    width: 64,
    granuleLog2: Math.log2(granule) as 12 | 14 | 16,
    level: leaf.level,
    shift: Math.log2(Number(leaf.size)),
    lpa2: false,
  });
  const title = `The descriptor that maps ${hex(iova)}: ${hexWord(leaf.descriptor)}`;
  return figure(descriptor(layout, leaf.descriptor, { title }));
}
