-- All of a payment is to go back, and has not yet. PostgreSQL lets a new value be used from the next transaction on only.
ALTER TYPE "payment_status" ADD VALUE IF NOT EXISTS 'REFUNDING' AFTER 'ORPHANED';
