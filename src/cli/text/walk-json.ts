/** A walk as JSON: addresses compact, descriptors and registers with all their digits. */
import { type MachineRegime, traitsOf } from '../../arch/regimes.ts';
import { securityWord } from '../../arch/security.ts';
import { type Answer, permittedFaults, type Translator } from '../../machine/machine.ts';
import { denialText } from '../../text/denials.ts';
import { type Faulted, faultText } from '../../text/fault.ts';
import { memoryOf, memoryText, permissionText } from '../../text/leaf.ts';
import { maliExceptionType } from '../../text/mali.ts';
import { hex, hexWord } from '../../text/numbers.ts';
import { permissionIndexText } from '../../text/permission-index.ts';
import { scauseOf } from '../../text/riscv.ts';
import { descriptorBits, hasPar, parWord, reportForms } from '../../text/words.ts';
import { unknownIndex } from '../../walker/attributes.ts';
import { faultStatusCode } from '../../walker/fault-codes.ts';
import {
  type Access,
  type Denial,
  type EffectiveRegion,
  esr,
  type Fault,
  hpfarEl2,
  type Translation,
} from '../../walker/index.ts';

export function walkJson(result: Answer, asked: Access, walker: Translator): object {
  const { access, privileged = true, pan } = asked;
  const digits = [descriptorBits(walker, 1), descriptorBits(walker, 2)] as const;
  const steps = result.steps.map((step) => ({
    stage: step.stage,
    level: step.level,
    ...(step.s1Level !== undefined && { s1_level: step.s1Level }),
    table: step.tableBase,
    index: step.index,
    address: step.address,
    descriptor: step.descriptor === undefined ? null : hexWord(step.descriptor, digits[step.stage - 1]),
    kind: step.kind,
    ...(step.output !== undefined && { output: step.output }),
  }));
  const state = 'security' in result ? { security: securityWord(result.security) } : {};
  return {
    ia: result.ia,
    access,
    privileged,
    ...(pan && { pan }),
    ...state,
    ok: result.ok,
    ...(result.ok
      ? { ...translationJson(result, walker), ...permissionsByJson(result, walker) }
      : faultJson(result, asked, walker)),
    ...permittedJson(result),
    steps,
  };
}

/** The facts of a translation. Ranges of a dump have the same. */
export function attributesJson(result: Translation, regime: MachineRegime): object {
  const { attributes, shareability, combined } = memoryOf(result, regime);
  const attrIndx = unknownIndex(attributes);
  const { privileged, unprivileged } = result.permissions;
  return {
    permissions: { privileged: permissionText(privileged), unprivileged: permissionText(unprivileged) },
    memory: memoryText(attributes),
    ...(attrIndx === undefined ? { attr: hex(attributes.byte, 2) } : { attr: null, attr_indx: attrIndx }),
    shareability,
    ...(combined && {
      with_stage1_off: { memory: memoryText(combined), attr: hex(combined.byte, 2) },
    }),
    ...(result.effective && { effective: effectiveJson(result.effective) }),
    pas: securityWord(result.paSpace),
    global: result.global,
    contiguous: result.contiguous,
    guarded: result.guarded,
  };
}

/** The memory type of the access, and the controls that change it. */
function effectiveJson({ attributes, shareability, by }: EffectiveRegion): object {
  return { memory: memoryText(attributes), attr: hex(attributes.byte, 2), shareability, by };
}

/** What the architecture permits besides the answer, for an instruction fetch from Device memory. (DDI 0487 B2.10.2) */
function permittedJson(result: Answer): object {
  const permitted = permittedFaults(result);
  if (permitted.length === 0) return {};
  const fetched = result.ok ? result.fetchedAs : undefined;
  return {
    ...(fetched && {
      fetched_as: { memory: memoryText(fetched.attributes), attr: hex(fetched.attributes.byte, 2) },
    }),
    permitted: permitted.map((fault) => ({
      fault: {
        kind: fault.kind,
        stage: fault.stage,
        level: fault.level,
        text: faultText(fault),
        ...(fault.ipa !== undefined && { ipa: fault.ipa }),
      },
    })),
  };
}

function translationJson(result: Translation, walker: Translator): object {
  const { regime } = walker;
  return {
    pa: result.pa,
    ...(result.stage1 && { ipa: result.stage1.oa }),
    ...(result.ipaSpace && { ipas: securityWord(result.ipaSpace) }),
    level: result.level ?? null,
    size: result.size,
    leaf_base: result.leafBase,
    ...attributesJson(result, regime),
    // Half of PAR_EL1 is the memory type.
    ...(hasPar(regime) && {
      par: unknownIndex(result.attributes) === undefined ? parWord(result, reportForms(walker)) : null,
    }),
  };
}

/** Fields of permission registers that decide, in words: with indirect permissions or overlays alone. */
function permissionsByJson(result: Translation, walker: Translator): object {
  const by = permissionIndexText(result, walker);
  return by.length === 0 ? {} : { permissions_by: by };
}

/** Bits of ESR_ELx.ISS2 that are set. */
function iss2Json({ overlay, dirtyBit, assuredOnly, topLevel, tagAccess }: Fault): object {
  return {
    ...(overlay && { overlay }),
    ...(dirtyBit && { dirty_bit: true }),
    ...(assuredOnly && { assured_only: true }),
    ...(topLevel && { top_level: true }),
    ...(tagAccess && { tag_access: true }),
  };
}

function faultJson(result: Faulted, { access, privileged = true }: Access, walker: Translator): object {
  const { fault, ia } = result;
  const { regime } = walker;
  const riscv = traitsOf(regime).architecture === 'RISC-V';
  const mali = traitsOf(regime).architecture === 'Mali';
  if (!('level' in fault)) {
    const { kind, fetchAddress } = fault;
    const fetch = fetchAddress !== undefined && { fetch: fetchAddress };
    return { fault: { kind, text: faultText(fault), ...fetch }, ...eventJson(result) };
  }
  const hpfar = hpfarEl2(fault);
  const fromLower = fault.stage === 2 || privileged === false;
  return {
    fault: {
      kind: fault.kind,
      stage: fault.stage,
      level: fault.level,
      text: faultText(fault, regime),
      ...(fault.ptw && { ptw: true, s1_level: fault.s1Level }),
      ...('gpc' in fault && gpcJson(fault)),
      ...(fault.ipa !== undefined && { ipa: fault.ipa }),
      ...(fault.descriptor !== undefined && {
        descriptor: hexWord(fault.descriptor, descriptorBits(walker, fault.stage)),
      }),
      ...(fault.descriptorAddress !== undefined && { descriptor_address: fault.descriptorAddress }),
      ...iss2Json(fault),
      ...(fault.denied !== undefined && {
        denied: fault.denied.map((one) => deniedJson(one, regime)),
      }),
      ...('class' in fault
        ? { class: fault.class }
        : hasPar(regime) && { fsc: hex(faultStatusCode(fault), 2) }),
    },
    ...(riscv && { scause: scauseOf(fault, access), stval: hexWord(ia) }),
    ...(mali && { exception_type: maliExceptionType(fault) }),
    ...('event' in result || !hasPar(regime)
      ? eventJson(result)
      : {
          par: parWord(result, reportForms(walker)),
          esr: hex(esr(fault, { access, fromLower }), 8),
          ...(hpfar !== undefined && { hpfar: hexWord(hpfar) }),
        }),
  };
}

/** Of a granule protection fault: why, where in its table, and what was checked. */
function gpcJson({ gpc, gptLevel, output, pa, paSpace, gpi }: Fault): object {
  return {
    gpc,
    gpt_level: gptLevel,
    ...(output && { output }),
    ...(pa !== undefined && { pa }),
    ...(paSpace !== undefined && { pas: securityWord(paSpace) }),
    ...(gpi !== undefined && { gpi }),
  };
}

/** What denied the access, as data and in words. */
function deniedJson(denial: Denial, regime: MachineRegime): object {
  const { by, stage, level, index, value, value0, wxn, dirtyOff } = denial;
  return {
    by,
    stage,
    ...(level !== undefined && { level }),
    ...(index !== undefined && { index }),
    ...(value !== undefined && { value }),
    ...(value0 !== undefined && { value0 }),
    ...(wxn && { wxn }),
    ...(dirtyOff !== undefined && { dirty_off: dirtyOff }),
    text: denialText(denial, regime),
  };
}

/** The words of an SMMU's event record, null if there is none; and what the device sees. */
function eventJson(result: Faulted): object {
  if (!('event' in result)) return {};
  return { event: result.event?.map((word) => hexWord(word)) ?? null, response: result.response };
}
