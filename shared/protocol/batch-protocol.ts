/**
 * OpenAI's Files and Batch API, as edge and core speak of them: the core answers with OpenAI's objects, and the edge hands
 * them on. Times are Unix times in seconds.
 */

/** What a line of a batch may ask for. */
export const batchEndpoints = ['/v1/chat/completions', '/v1/embeddings'] as const;
export type BatchEndpoint = (typeof batchEndpoints)[number];

/** The scope that files and batches need: their lines are answered without a plan's limits and the content filter. */
export const BATCH_SCOPE = 'batch';

export interface FileObject {
  id: string;
  object: 'file';
  bytes: number;
  created_at: number;
  filename: string;
  purpose: 'batch' | 'batch_output';
  status: 'processed';
}

export type BatchStatus =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

export interface BatchObject {
  id: string;
  object: 'batch';
  endpoint: string;
  errors: { object: 'list'; data: BatchFault[] } | null;
  input_file_id: string;
  completion_window: string;
  status: BatchStatus;
  output_file_id: string | null;
  error_file_id: string | null;
  created_at: number;
  in_progress_at: number | null;
  expires_at: number;
  finalizing_at: number | null;
  completed_at: number | null;
  failed_at: number | null;
  expired_at: number | null;
  cancelling_at: number | null;
  cancelled_at: number | null;
  request_counts: { total: number; completed: number; failed: number };
  metadata: Record<string, string> | null;
}

/** What is wrong with an input file. */
export interface BatchFault {
  code: string;
  message: string;
  /** From 1. */
  line: number | null;
  param: string | null;
}
