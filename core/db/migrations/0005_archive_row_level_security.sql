-- As for the files; who lets old things go finds out over all tenants whose there are.
GRANT SELECT, INSERT, UPDATE, DELETE ON "conversation" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "conversation" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "conversation" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "conversation_of_tenant" ON "conversation"
  USING ("tenant" = current_setting('edgewise.tenant', true) OR current_setting('edgewise.system', true) = 'on')
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "message" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "message" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "message" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "message_of_tenant" ON "message"
  USING ("tenant" = current_setting('edgewise.tenant', true))
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "usage" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "usage" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "usage" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "usage_of_tenant" ON "usage"
  USING ("tenant" = current_setting('edgewise.tenant', true) OR current_setting('edgewise.system', true) = 'on')
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "feedback" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "feedback" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "feedback" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "feedback_of_tenant" ON "feedback"
  USING ("tenant" = current_setting('edgewise.tenant', true))
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "note" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "note" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "note" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "note_of_tenant" ON "note"
  USING ("tenant" = current_setting('edgewise.tenant', true))
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "preference" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "preference" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "preference" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "preference_of_tenant" ON "preference"
  USING ("tenant" = current_setting('edgewise.tenant', true))
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "document" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "document" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "document" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "document_of_tenant" ON "document"
  USING ("tenant" = current_setting('edgewise.tenant', true))
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "chunk" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "chunk" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "chunk" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "chunk_of_tenant" ON "chunk"
  USING ("tenant" = current_setting('edgewise.tenant', true))
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
