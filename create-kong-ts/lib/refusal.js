/** What a person can mend: printed as a sentence, without a stack. */
export class Refusal extends Error {
  /** @param {string} message @param {number} [status] of the process */
  constructor(message, status = 1) {
    super(message);
    this.status = status;
  }
}
