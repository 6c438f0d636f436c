/** What a walk answers: of an address, as `walk` and `fault --tables` print it, and of a range, as `dump` and `verify` do. */
import * as v from 'valibot';
import {
  count,
  flag,
  hex,
  level,
  list,
  maybe,
  said,
  security,
  some,
  text,
  texts,
  whole,
} from './output-parts.ts';

const memoryType = { memory: text, attr: said(hex, 'the memory type as a byte of MAIR') };

/** What a leaf allows and says. */
const attributes = {
  permissions: maybe(some({ privileged: text, unprivileged: text })),
  memory: maybe(text),
  attr: maybe(said(v.nullable(hex), 'the memory type as a byte of MAIR; null without MAIR')),
  attr_indx: maybe(said(count, 'without MAIR: AttrIndx')),
  shareability: maybe(text),
  with_stage1_off: maybe(said(some(memoryType), 'of stage 2 alone: the type of an access with stage 1 off')),
  effective: maybe(
    said(
      some({ ...memoryType, shareability: text, by: list(text) }),
      'the type of the access, and the register bits that make it differ from the descriptor',
    ),
  ),
  pas: maybe(said(security, 'the PA space of the output')),
  global: maybe(flag),
  contiguous: maybe(flag),
  guarded: maybe(flag),
};

export const range = some({
  first: hex,
  last: said(hex, 'the last address inside'),
  size: hex,
  pa: v.nullable(hex),
  leaf_size: hex,
  leaves: count,
  level: maybe(v.nullable(level)),
  ...attributes,
  fault: maybe(some({ kind: text, stage: maybe(whole), level: maybe(level) })),
});

const step = some({
  stage: v.picklist([1, 2]),
  level,
  s1_level: maybe(said(level, 'of stage 2: the level of stage 1 whose table is looked for')),
  table: hex,
  index: count,
  address: said(hex, 'PA of the descriptor'),
  descriptor: said(v.nullable(hex), 'null: it could not be read'),
  kind: text,
  output: maybe(hex),
});

/** What denied an access. */
const denied = some({
  by: said(text, 'the field of a descriptor, or the bit of a register: AP, PXNTable, WXN, PAN …'),
  stage: whole,
  level: maybe(said(level, "of the descriptor with the field, if it is a descriptor's")),
  index: maybe(said(count, 'PIIndex or POIndex')),
  value: maybe(said(count, "the field's value, if more than one denies")),
  value0: maybe(said(count, "of two fields: PIRE0_ELx's")),
  wxn: maybe(said(flag, 'PrivWXN or UnprivWXN removes what the overlay allows')),
  dirty_off: maybe(said(text, 'why hardware does not manage dirty state')),
  text,
});

const fault = some({
  kind: text,
  stage: maybe(whole),
  level: maybe(level),
  text,
  ptw: maybe(said(flag, 'stage 2 faulted on the fetch or update of a descriptor of stage 1')),
  s1_level: maybe(level),
  gpc: maybe(said(text, 'of a granule protection fault: fail, walk, address_size or external')),
  gpt_level: maybe(whole),
  output: maybe(said(flag, 'the output was checked, not a descriptor')),
  pa: maybe(hex),
  pas: maybe(security),
  gpi: maybe(count),
  ipa: maybe(hex),
  descriptor: maybe(hex),
  descriptor_address: maybe(hex),
  overlay: maybe(flag),
  dirty_bit: maybe(flag),
  assured_only: maybe(flag),
  top_level: maybe(flag),
  tag_access: maybe(flag),
  denied: maybe(said(list(denied), 'of a permission fault: what denied the access')),
  class: maybe(said(text, 'of an SMMU: CLASS of the event')),
  fsc: maybe(said(hex, 'the fault status code of ESR and PAR')),
  fetch: maybe(said(hex, 'of an SMMU: the address of a structure that could not be read')),
});

const permitted = some({
  fault: some({ kind: text, stage: whole, level, text, ipa: maybe(hex) }),
});

/** The members of a walk. */
export const walk = {
  ia: hex,
  access: v.picklist(['read', 'write', 'execute']),
  privileged: flag,
  pan: maybe(said(flag, 'PSTATE.PAN is 1')),
  security: maybe(security),
  ok: flag,
  pa: maybe(hex),
  ipa: maybe(said(hex, 'the output of stage 1, under stage 2')),
  ipas: maybe(said(security, 'the IPA space')),
  level: maybe(v.nullable(level)),
  size: maybe(hex),
  leaf_base: maybe(said(hex, 'the output address of the leaf')),
  ...attributes,
  par: maybe(said(v.nullable(hex), 'PAR_EL1 of an address translation instruction; null without MAIR')),
  permissions_by: maybe(said(texts, 'fields of permission registers that decide')),
  fetched_as: maybe(
    said(some(memoryType), 'an instruction fetch from Device memory: the type of the access'),
  ),
  permitted: maybe(said(list(permitted), 'other answers that the architecture permits')),
  fault: maybe(fault),
  esr: maybe(said(hex, 'ESR_ELx of the exception')),
  hpfar: maybe(said(hex, 'HPFAR_EL2')),
  scause: maybe(said(whole, 'of RISC-V')),
  stval: maybe(said(hex, 'of RISC-V')),
  exception_type: maybe(said(count, 'of Mali: the exception type of AS_FAULTSTATUS')),
  event: maybe(said(v.nullable(list(hex)), "the words of an SMMU's event record; null: none is recorded")),
  response: maybe(said(text, 'what the device sees')),
  steps: list(step),
};
