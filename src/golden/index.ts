/** Golden files (`pgtable-golden/1`) of every kind: what `lpae/golden` exports. */
import { checkCreation } from './creation.ts';
import { checkImage } from './image.ts';
import { checkOps } from './ops.ts';
import { GoldenFileError, type GoldenResult } from './result.ts';

export { type Difference, GoldenFileError, type GoldenResult } from './result.ts';

/**
 * Checks a golden file by its kind: `ops`, `image`, or a list of table creations.
 * @throws GoldenFileError when `json` is not a golden file, says something that is not known here, or says nothing at all.
 */
export function checkGolden(json: unknown): GoldenResult {
  const result = checkerOf(json)(json);
  if (result.checked === 0) throw new GoldenFileError('file: holds no fact to check');
  return result;
}

function checkerOf(json: unknown): (json: unknown) => GoldenResult {
  if (Array.isArray(json)) return checkCreation;
  if (typeof json !== 'object' || json === null) {
    throw new GoldenFileError('file: expected a JSON object or a list of table creations');
  }
  const kind = 'kind' in json ? json.kind : undefined;
  if (kind === 'ops') return checkOps;
  if (kind === 'image') return checkImage;
  if ('schema' in json && json.schema === 'pgtable-scatterlists/1') {
    throw new GoldenFileError(
      'schema: pgtable-scatterlists/1 holds requests and no answers; lpae replay runs them',
    );
  }
  throw new GoldenFileError(
    `kind: ${JSON.stringify(kind)} is not a kind of golden file known here; ops and image are`,
  );
}
