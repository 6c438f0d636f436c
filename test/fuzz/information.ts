/** Members of golden files that may be changed without any answer changing, by the way to them, and why. Everything else must be told. */
export const INFORMATION: Readonly<Record<string, string>> = {
  producer: 'who made the file',
  'translations.[].par': "the producer's raw word, which the other members say in the architecture's terms",
  'translations.[].verified': 'how the producer made sure',
};
