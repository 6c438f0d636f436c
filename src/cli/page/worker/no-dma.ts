/** In the place of the DMA layer, whose allocators the page does not have. */
import { inputError } from '../../io.ts';

export function performDma(): never {
  throw inputError('a request with dma is not carried out in a page', 'lpae in a terminal does');
}
