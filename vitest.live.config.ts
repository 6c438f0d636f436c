import { defineConfig } from 'vitest/config';
import { common, LIVE } from './vitest.config.ts';

export default defineConfig({ test: { ...common, include: [LIVE] } });
