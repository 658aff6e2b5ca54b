CREATE TABLE "batch_line" (
	"batch" text NOT NULL,
	"ordinal" integer NOT NULL,
	"tenant" text NOT NULL,
	"custom_id" text NOT NULL,
	"body" text NOT NULL,
	"state" text NOT NULL,
	"lease_until_ms" bigint DEFAULT 0 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"answer" text,
	CONSTRAINT "batch_line_batch_ordinal_pk" PRIMARY KEY("batch","ordinal")
);
--> statement-breakpoint
CREATE TABLE "batch" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	"user" text NOT NULL,
	"plan" text NOT NULL,
	"endpoint" text NOT NULL,
	"input_file" text NOT NULL,
	"output_file" text,
	"error_file" text,
	"window" text NOT NULL,
	"status" text NOT NULL,
	"faults" jsonb,
	"metadata" jsonb,
	"total" integer DEFAULT 0 NOT NULL,
	"done" integer DEFAULT 0 NOT NULL,
	"failed" integer DEFAULT 0 NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL,
	"in_progress_at_ms" bigint,
	"finalizing_at_ms" bigint,
	"completed_at_ms" bigint,
	"failed_at_ms" bigint,
	"expired_at_ms" bigint,
	"cancelling_at_ms" bigint,
	"cancelled_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "file_part" (
	"file" text NOT NULL,
	"ordinal" integer NOT NULL,
	"tenant" text NOT NULL,
	"content" text NOT NULL,
	CONSTRAINT "file_part_file_ordinal_pk" PRIMARY KEY("file","ordinal")
);
--> statement-breakpoint
CREATE TABLE "file" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	"user" text NOT NULL,
	"filename" text NOT NULL,
	"purpose" text NOT NULL,
	"bytes" integer NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"batch" text,
	"holds" text
);
--> statement-breakpoint
CREATE UNIQUE INDEX "batch_line_by_custom_id" ON "batch_line" USING btree ("batch","custom_id");--> statement-breakpoint
CREATE INDEX "batch_line_waiting" ON "batch_line" USING btree ("batch","ordinal") WHERE state = 'waiting';--> statement-breakpoint
CREATE INDEX "batch_by_user" ON "batch" USING btree ("tenant","user","created_at_ms");--> statement-breakpoint
CREATE INDEX "batch_at_work" ON "batch" USING btree ("created_at_ms") WHERE status IN ('validating', 'in_progress', 'finalizing', 'cancelling');--> statement-breakpoint
CREATE INDEX "file_by_user" ON "file" USING btree ("tenant","user","created_at_ms");