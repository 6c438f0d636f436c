/** Registers of the interrupts of an SMMUv3: what is enabled, and where an MSI is written. (IHI 0070 G.b, 3.18, 6.3.16, 6.3.21 to 6.3.23.) */
import { bit, bits, layout } from '../field.ts';
import { NO_YES } from '../registers/values.ts';

export const SMMU_IRQ_CTRL = layout(
  {
    name: 'SMMU_IRQ_CTRL',
    aliases: ['IRQ_CTRL'],
    title: 'SMMUv3 interrupt control',
    reference: 'IHI 0070 6.3.16',
    width: 32,
  },
  {
    EVENTQ_IRQEN: bit(2, 'interrupts of the Event queue', NO_YES),
    PRIQ_IRQEN: bit(1, 'interrupts of the PRI queue', NO_YES),
    GERROR_IRQEN: bit(0, 'interrupts of global errors', NO_YES),
  },
);

export const SMMU_IRQ_CFG0 = layout(
  {
    name: 'SMMU_GERROR_IRQ_CFG0',
    aliases: [
      'SMMU_EVENTQ_IRQ_CFG0',
      'SMMU_PRIQ_IRQ_CFG0',
      'GERROR_IRQ_CFG0',
      'EVENTQ_IRQ_CFG0',
      'PRIQ_IRQ_CFG0',
    ],
    title: 'SMMUv3 interrupt: where its MSI is written',
    reference: 'IHI 0070 6.3.21, 6.3.30, 6.3.34',
    width: 64,
  },
  { ADDR: bits(55, 2, 'physical address of the MSI; 0: none is sent', { address: 2 }) },
);

export const SMMU_IRQ_CFG2 = layout(
  {
    name: 'SMMU_GERROR_IRQ_CFG2',
    aliases: [
      'SMMU_EVENTQ_IRQ_CFG2',
      'SMMU_PRIQ_IRQ_CFG2',
      'GERROR_IRQ_CFG2',
      'EVENTQ_IRQ_CFG2',
      'PRIQ_IRQ_CFG2',
    ],
    title: 'SMMUv3 interrupt: attributes of its MSI',
    reference: 'IHI 0070 6.3.23, 6.3.32, 6.3.36',
    width: 32,
  },
  {
    LO: bit(31, 'the PRI queue interrupts', [
      'when it is no longer empty',
      'for requests that are the last of their group',
    ]),
    SH: bits(5, 4, 'shareability of the MSI', [
      'non-shareable',
      'reserved: as 0',
      'outer shareable',
      'inner shareable',
    ]),
    MemAttr: bits(3, 0, 'memory type of the MSI, as STE.MemAttr'),
  },
);

/** CMD_SYNC.CS: how it says that it is complete. (4.7.3.) */
export const SYNC_SIGNAL = { none: 0, interrupt: 1, event: 2 } as const;
