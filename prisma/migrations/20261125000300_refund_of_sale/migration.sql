-- AlterTable
ALTER TABLE "refunds" ADD COLUMN     "of_sale" BOOLEAN NOT NULL DEFAULT true;
