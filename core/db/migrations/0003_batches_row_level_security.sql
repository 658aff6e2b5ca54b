-- As for the keys: each tenant's rows alone, but that whoever works on batches finds out over all tenants which there are.
GRANT SELECT, INSERT, UPDATE, DELETE ON "file" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "file" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "file" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "file_of_tenant" ON "file"
  USING ("tenant" = current_setting('edgewise.tenant', true))
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "file_part" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "file_part" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "file_part" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "file_part_of_tenant" ON "file_part"
  USING ("tenant" = current_setting('edgewise.tenant', true))
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "batch" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "batch" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "batch" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "batch_of_tenant" ON "batch"
  USING ("tenant" = current_setting('edgewise.tenant', true) OR current_setting('edgewise.system', true) = 'on')
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "batch_line" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "batch_line" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "batch_line" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "batch_line_of_tenant" ON "batch_line"
  USING ("tenant" = current_setting('edgewise.tenant', true))
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
