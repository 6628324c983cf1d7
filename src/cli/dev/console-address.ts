const patienceMs = 1000;

/**
 * The console that the Admin API of event hooks serves.
 * @param hooksAdmin `host:port`
 * @returns its URL; null where there is none
 */
export async function consoleOf(hooksAdmin: string): Promise<string | null> {
  const url = `http://${hooksAdmin}/console/`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
    await response.arrayBuffer();
    return response.ok ? url : null;
  } catch {
    return null;
  }
}
