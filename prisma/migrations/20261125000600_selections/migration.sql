-- Indexes that hold exactly what a job looks for, so that it reads what is due and not the table.

-- Open checkouts whose slots are gone, oldest first.
CREATE INDEX "payments_pending_by_age" ON "payments" ("updated_at", "id") WHERE "status" = 'PENDING';

-- Whether somebody holds a consultant's hour. Confirmed slots are in the index of `slots_no_overlap`.
CREATE INDEX "slots_tentative_of_consultant" ON "slots" ("consultant_id") WHERE "tentative";

-- The offers of one plan, however many people wait for it.
CREATE INDEX "waitlist_entries_offered" ON "waitlist_entries" ("plan_id", "expires_at") WHERE "status" = 'NOTIFIED';
