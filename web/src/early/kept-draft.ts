/** Tell a room's draft as the device keeps it (realtime/storage/dexie.ts), if it does. Makes no database where there is none. */
export function keptDraft(userId: string, roomId: string, tell: (text: string) => void): void {
  let opening: IDBOpenDBRequest;
  try {
    opening = indexedDB.open(`parlour-${userId}`);
  } catch {
    return; // kept from pages in some private windows
  }
  opening.onupgradeneeded = () => opening.transaction?.abort();
  opening.onerror = (event) => event.preventDefault(); // there was none
  opening.onsuccess = () => {
    const database = opening.result;
    database.onversionchange = () => database.close();
    if (!database.objectStoreNames.contains("drafts")) {
      database.close();
      return;
    }
    const read = database.transaction("drafts").objectStore("drafts").get(roomId) as IDBRequest<
      { text?: unknown } | undefined
    >;
    read.onsuccess = () => {
      const text = read.result?.text;
      if (typeof text === "string" && text !== "") tell(text);
    };
    read.transaction?.addEventListener("complete", () => database.close());
  };
}
