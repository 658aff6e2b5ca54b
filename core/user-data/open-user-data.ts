/** What is done with all the data of a user, put together: its export, its removal, its retention. */
import { createExportUser, type ExportUser } from './export-user.ts';
import { createRemoveUser, type RemoveUser, type RemoveUserOptions } from './remove-user.ts';
import { type ApplyRetention, createRetention, type RetentionOptions } from './retention.ts';

export interface UserData {
  exportUser: ExportUser;
  removeUser: RemoveUser;
  applyRetention: ApplyRetention;
}

export function openUserData(options: RemoveUserOptions & RetentionOptions): UserData {
  return {
    exportUser: createExportUser(options.database),
    removeUser: createRemoveUser(options),
    applyRetention: createRetention(options),
  };
}
