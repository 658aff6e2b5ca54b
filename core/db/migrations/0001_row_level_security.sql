-- The role that every transaction takes: it owns nothing, so row-level security holds for it. Roles are the server's,
-- not the database's, so another database may have made it.
DO $$ BEGIN
  CREATE ROLE edgewise_app NOLOGIN;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
--> statement-breakpoint
DO $$ BEGIN
  EXECUTE format('GRANT edgewise_app TO %I', current_user);
END $$;
--> statement-breakpoint
GRANT USAGE ON SCHEMA public TO edgewise_app;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "api_key" TO edgewise_app;
--> statement-breakpoint
ALTER TABLE "api_key" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "api_key" FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
-- `edgewise.system` is set for what belongs to no tenant yet, as finding out whose key it is.
CREATE POLICY "api_key_of_tenant" ON "api_key"
  USING ("tenant" = current_setting('edgewise.tenant', true) OR current_setting('edgewise.system', true) = 'on')
  WITH CHECK ("tenant" = current_setting('edgewise.tenant', true));
