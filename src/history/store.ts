/** Where durations are kept: one text. */
export interface DurationStore {
  /** The text that was written last; `undefined` where none was. */
  read(): Promise<string | undefined>;
  /** Replaces the text, whole or not at all. */
  write(text: string): Promise<void>;
  /** Moves a damaged text out of the way and says where it is now. Without this, the next write replaces it. */
  setAside?(): Promise<string>;
  /** Performs what no other process may do meanwhile. Without this, of two that record at once one may be lost. */
  exclusively?<T>(action: () => Promise<T>): Promise<T>;
}
