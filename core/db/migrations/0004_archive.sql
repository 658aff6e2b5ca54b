CREATE TABLE "chunk" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "chunk_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"tenant" text NOT NULL,
	"user" text NOT NULL,
	"kind" text NOT NULL,
	"source" text NOT NULL,
	"part" text NOT NULL,
	"ordinal" integer NOT NULL,
	"turn" text,
	"round" integer NOT NULL,
	"role" text,
	"heading" text NOT NULL,
	"text" text NOT NULL,
	"is_shared" boolean NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"terms" "tsvector" NOT NULL,
	"embedder" text
);
--> statement-breakpoint
CREATE TABLE "conversation" (
	"tenant" text NOT NULL,
	"user" text NOT NULL,
	"id" text NOT NULL,
	"system" text NOT NULL,
	"title" text,
	"created_at_ms" bigint NOT NULL,
	"updated_at_ms" bigint NOT NULL,
	CONSTRAINT "conversation_tenant_user_id_pk" PRIMARY KEY("tenant","user","id")
);
--> statement-breakpoint
CREATE TABLE "document" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	"user" text NOT NULL,
	"name" text NOT NULL,
	"title" text NOT NULL,
	"media_type" text NOT NULL,
	"hash" text NOT NULL,
	"bytes" integer NOT NULL,
	"passages" integer NOT NULL,
	"is_shared" boolean NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"updated_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "feedback" (
	"tenant" text NOT NULL,
	"user" text NOT NULL,
	"turn" text NOT NULL,
	"rating" text NOT NULL,
	"text" text,
	"at_ms" bigint NOT NULL,
	CONSTRAINT "feedback_tenant_user_turn_pk" PRIMARY KEY("tenant","user","turn")
);
--> statement-breakpoint
CREATE TABLE "message" (
	"tenant" text NOT NULL,
	"user" text NOT NULL,
	"conversation" text NOT NULL,
	"id" text NOT NULL,
	"parent" text,
	"turn" text NOT NULL,
	"round" integer NOT NULL,
	"position" integer NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"body" text NOT NULL,
	CONSTRAINT "message_tenant_user_conversation_id_pk" PRIMARY KEY("tenant","user","conversation","id")
);
--> statement-breakpoint
CREATE TABLE "note" (
	"tenant" text NOT NULL,
	"user" text NOT NULL,
	"conversation" text NOT NULL,
	"through_message" text NOT NULL,
	"through_round" integer NOT NULL,
	"lines" text NOT NULL,
	CONSTRAINT "note_tenant_user_conversation_pk" PRIMARY KEY("tenant","user","conversation")
);
--> statement-breakpoint
CREATE TABLE "preference" (
	"tenant" text NOT NULL,
	"user" text NOT NULL,
	"recall_across" boolean NOT NULL,
	CONSTRAINT "preference_tenant_user_pk" PRIMARY KEY("tenant","user")
);
--> statement-breakpoint
CREATE TABLE "usage" (
	"tenant" text NOT NULL,
	"user" text NOT NULL,
	"turn" text NOT NULL,
	"conversation" text,
	"status" text NOT NULL,
	"model" text NOT NULL,
	"place" text,
	"cache" text,
	"error" text,
	"input_tokens" integer NOT NULL,
	"output_tokens" integer NOT NULL,
	"cached_input_tokens" integer NOT NULL,
	"is_estimated" boolean NOT NULL,
	"micros" bigint,
	"started_at_ms" bigint NOT NULL,
	"ended_at_ms" bigint NOT NULL,
	CONSTRAINT "usage_tenant_user_turn_pk" PRIMARY KEY("tenant","user","turn")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "chunk_by_place" ON "chunk" USING btree ("tenant","user","kind","source","part","ordinal");--> statement-breakpoint
CREATE INDEX "chunk_by_term" ON "chunk" USING gin ("terms");--> statement-breakpoint
CREATE INDEX "chunk_without_vector" ON "chunk" USING btree ("tenant","id") WHERE embedder IS NULL;--> statement-breakpoint
CREATE INDEX "conversation_by_update" ON "conversation" USING btree ("tenant","user","updated_at_ms");--> statement-breakpoint
CREATE UNIQUE INDEX "document_by_name" ON "document" USING btree ("tenant","user","name");--> statement-breakpoint
CREATE INDEX "document_by_hash" ON "document" USING btree ("tenant","user","hash");--> statement-breakpoint
CREATE INDEX "message_by_time" ON "message" USING btree ("tenant","user","conversation","created_at_ms");--> statement-breakpoint
CREATE INDEX "message_by_round" ON "message" USING btree ("tenant","user","conversation","round");--> statement-breakpoint
CREATE INDEX "usage_by_time" ON "usage" USING btree ("tenant","started_at_ms");--> statement-breakpoint
CREATE INDEX "usage_by_user" ON "usage" USING btree ("tenant","user","started_at_ms");