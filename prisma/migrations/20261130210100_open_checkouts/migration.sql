-- Open checkouts whose order is asked about: those first that never were.
CREATE INDEX "payments_open_orders" ON "payments" ("asked_at" NULLS FIRST, "created_at", "id")
  WHERE "status" = 'PENDING' AND "provider_order_id" IS NOT NULL;
