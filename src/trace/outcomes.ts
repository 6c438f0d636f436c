/** Outcomes of transactions as JSON has them, and as the judge does. */
import { isSaid, present } from '../json/schemas.ts';
import type { Observed, Outcome } from '../smmu/trace.ts';
import type { ObservedJson, PermittedJson } from './schema.ts';

/** A permitted outcome. */
export function outcomeOf(json: PermittedJson): Outcome {
  const by = present({ by: json.by });
  return { ...bareOutcome(json), ...by };
}

/** What a producer saw. */
export function observedOf(json: ObservedJson): Observed {
  const { event, data, bypass } = json;
  return { outcome: bareOutcome(json), ...present({ event, data, bypass }) };
}

function bareOutcome(json: PermittedJson | ObservedJson): Outcome {
  if ('pa' in json) return { kind: 'pa', pa: json.pa };
  if ('raz_wi' in json) return { kind: 'raz/wi' };
  if ('denied' in json) return { kind: 'denied' };
  if (!('fault' in json)) return { kind: 'abort' };
  const { fault, s2, class: faultClass, recorded, stall } = json;
  return {
    kind: 'fault',
    fault,
    ...(isSaid(s2) && { s2: s2 === 1 }),
    ...present({ class: faultClass, stall }),
    ...(recorded === false && { recorded }),
  };
}
