/** A place for past durations: one text. */
export interface DurationStore {
  /** Returns the text that was written last; `undefined` if there is none. */
  read(): Promise<string | undefined>;
  /** Replaces the whole text, or leaves it as it is. */
  write(text: string): Promise<void>;
  /** Moves a damaged text out of the way, and returns its new place. Without this, the next write replaces it. */
  setAside?(): Promise<string>;
  /**
   * Performs an action while no other process performs one. Without this, one of two durations may be lost if two
   * processes record at the same time.
   */
  exclusively?<T>(action: () => Promise<T>): Promise<T>;
}
