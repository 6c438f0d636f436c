/** A walk as JSON: addresses compact, descriptors and registers with all their digits. */
import { type Access, faultStatusCode, hpfarEl2, parEl1, type WalkResult } from '../walker/index.ts';
import { faultText, memoryText, permissionText } from './hardware-text.ts';
import { hex, hexWord } from './text.ts';

export function walkJson(result: WalkResult, { access, privileged = true }: Access): object {
  const steps = result.steps.map((step) => ({
    stage: step.stage,
    level: step.level,
    ...(step.s1Level !== undefined && { s1_level: step.s1Level }),
    table: step.tableBase,
    index: step.index,
    address: step.address,
    descriptor: step.descriptor === undefined ? null : hexWord(step.descriptor),
    kind: step.kind,
    ...(step.output !== undefined && { output: step.output }),
  }));
  const asked = { ia: result.ia, access, privileged, ok: result.ok };
  return { ...asked, ...(result.ok ? translationJson(result) : faultJson(result)), steps };
}

/** What a translation says; a dump's ranges say the same. */
export function attributesJson(result: Extract<WalkResult, { ok: true }>): object {
  const { privileged, unprivileged } = result.permissions;
  return {
    permissions: { privileged: permissionText(privileged), unprivileged: permissionText(unprivileged) },
    memory: memoryText(result.attributes),
    attr: hex(result.attributes.byte, 2),
    shareability: result.shareability,
    global: result.global,
    contiguous: result.contiguous,
    guarded: result.guarded,
  };
}

function translationJson(result: Extract<WalkResult, { ok: true }>): object {
  return {
    pa: result.pa,
    ...(result.stage1 && { ipa: result.stage1.oa }),
    level: result.level ?? null,
    size: result.size,
    leaf_base: result.leafBase,
    ...attributesJson(result),
    par: hexWord(parEl1(result)),
  };
}

function faultJson(result: Extract<WalkResult, { ok: false }>): object {
  const { fault } = result;
  const hpfar = hpfarEl2(fault);
  return {
    fault: {
      kind: fault.kind,
      stage: fault.stage,
      level: fault.level,
      text: faultText(fault),
      ...(fault.ptw && { ptw: true, s1_level: fault.s1Level }),
      ...(fault.ipa !== undefined && { ipa: fault.ipa }),
      ...(fault.descriptor !== undefined && { descriptor: hexWord(fault.descriptor) }),
      ...(fault.descriptorAddress !== undefined && { descriptor_address: fault.descriptorAddress }),
      fsc: hex(faultStatusCode(fault), 2),
    },
    par: hexWord(parEl1(result)),
    ...(hpfar !== undefined && { hpfar: hexWord(hpfar) }),
  };
}
