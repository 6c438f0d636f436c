/** Resolves register values, under any usual names, for a regime. */
export { RegisterError, type RegisterErrorKind } from './errors.ts';
export type { AskedRegime } from './infer.ts';
export { isRegisterName } from './names.ts';
export type { IgnoredRegister, RegisterRequest, ResolvedRegisters } from './request.ts';
export { resolveRegisters } from './resolve.ts';
