/** Builds the explorer's page into one HTML file. @param file - where to write it. */
export function buildExplorer(file: string): Promise<void>;
