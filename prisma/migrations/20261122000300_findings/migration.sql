-- CreateEnum
CREATE TYPE "finding_severity" AS ENUM ('critical', 'warning');

-- CreateTable
CREATE TABLE "findings" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "kind" TEXT NOT NULL,
    "severity" "finding_severity" NOT NULL,
    "subject_type" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "details" JSONB NOT NULL,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "resolved_at" TIMESTAMPTZ(3),
    "resolved_by" TEXT,
    "resolution" TEXT,

    CONSTRAINT "findings_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "findings_resolved_at_severity_idx" ON "findings"("resolved_at", "severity");

-- One open finding for one difference; a resolved one says who resolved it and why.
CREATE UNIQUE INDEX "findings_one_open" ON "findings" ("kind", "subject_type", "subject_id")
  WHERE "resolved_at" IS NULL;

ALTER TABLE "findings" ADD CONSTRAINT "findings_resolution" CHECK (
  ("resolved_at" IS NULL) = ("resolved_by" IS NULL) AND ("resolved_at" IS NULL) = ("resolution" IS NULL)
);
