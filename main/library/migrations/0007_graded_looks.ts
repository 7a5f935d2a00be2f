/** How much of its change a look makes, and how much colour it leaves. */
export const gradedLooks = `
ALTER TABLE looks ADD COLUMN amount REAL NOT NULL DEFAULT 1;
ALTER TABLE looks ADD COLUMN colour REAL NOT NULL DEFAULT 1;
`;
