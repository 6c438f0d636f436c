/** Resolves register values, under any usual names, for a regime. */
export { RegisterError, type RegisterErrorKind } from './errors.ts';
export { isRegisterName } from './names.ts';
export {
  type AskedRegime,
  type IgnoredRegister,
  type RegisterRequest,
  type ResolvedRegisters,
  resolveRegisters,
} from './resolve.ts';
