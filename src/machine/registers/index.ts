/** Register values under whatever names people have them, resolved for a regime. */
export { RegisterError, type RegisterErrorKind } from './errors.ts';
export { isRegisterName } from './names.ts';
export {
  type AskedRegime,
  type IgnoredRegister,
  type RegisterRequest,
  type ResolvedRegisters,
  resolveRegisters,
} from './resolve.ts';
