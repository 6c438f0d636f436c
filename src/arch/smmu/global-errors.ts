/** What an SMMUv3 reports as global errors, and of its Command queue. (IHI 0070 6.3.19 SMMU_GERROR, 6.3.28 SMMU_CMDQ_CONS, 7.1.) */
import { bit, bits, layout } from '../field.ts';

const DIFFERS = ['as in GERRORN', 'active if GERRORN has another value'] as const;
const error = (position: number, meaning: string) => bit(position, meaning, DIFFERS);

export const SMMU_GERROR = layout(
  {
    name: 'SMMU_GERROR',
    aliases: ['GERROR', 'SMMU_GERRORN', 'GERRORN'],
    title: 'SMMUv3 global errors: a bit that differs from SMMU_GERRORN is an active error',
    reference: 'IHI 0070 6.3.19',
    width: 32,
  },
  {
    DPT_ERR: error(10, 'a lookup in the device permission table failed'),
    CMDQP_ERR: error(9, 'an error of a Command queue control page'),
    SFM_ERR: error(8, 'the SMMU entered Service failure mode'),
    MSI_GERROR_ABT_ERR: error(7, 'the MSI of a global error was aborted'),
    MSI_PRIQ_ABT_ERR: error(6, 'the MSI of the PRI queue was aborted'),
    MSI_EVENTQ_ABT_ERR: error(5, 'the MSI of the Event queue was aborted'),
    MSI_CMDQ_ABT_ERR: error(4, 'the MSI of a CMD_SYNC was aborted'),
    PRIQ_ABT_ERR: error(3, 'a write to the PRI queue was aborted'),
    EVENTQ_ABT_ERR: error(2, 'a write to the Event queue was aborted: events may be lost'),
    CMDQ_ERR: error(0, 'the Command queue stopped at a command: SMMU_CMDQ_CONS.ERR says why'),
  },
);

export const SMMU_CMDQ_CONS = layout(
  {
    name: 'SMMU_CMDQ_CONS',
    aliases: ['CMDQ_CONS'],
    title: 'SMMUv3 Command queue consumer index, and why the queue stopped',
    reference: 'IHI 0070 6.3.28',
    width: 32,
  },
  {
    ERR: bits(30, 24, 'reason of the error', {
      0: 'CERROR_NONE',
      1: 'CERROR_ILL',
      2: 'CERROR_ABT',
      3: 'CERROR_ATC_INV_SYNC',
    }),
    RD: bits(19, 0, 'the command at which it stopped: its index, with the wrap bit above'),
  },
);
