/** Search, memory and documents, put together. */
import type { ChatModel } from '../../shared/model/chat-model.ts';
import { roughTokens } from '../../shared/model/token-count.ts';
import type { RecallWish } from '../../shared/protocol/memory-protocol.ts';
import type { Database } from '../db/database.ts';
import type { Embeddings } from '../embeddings/embeddings.ts';
import { createDocumentReader } from '../knowledge/document-reader.ts';
import { createDocuments, type Documents } from '../knowledge/documents.ts';
import type { Caller } from '../models/caller.ts';
import { loadTokenCounter } from '../models/token-counter.ts';
import { builtInEmbedder } from '../search/built-in-embedder.ts';
import { createModelEmbedder } from '../search/model-embedder.ts';
import { createSearch, type Search } from '../search/search.ts';
import { createMemory, type Memory } from './memory.ts';
import { createPreferences, type Preferences } from './preferences.ts';
import { type Reader, withRecall } from './recall.ts';
import { createSummarise } from './summarise.ts';

export interface MemoryServices {
  search: Search;
  memory: Memory;
  documents: Documents;
  preferences: Preferences;
  withRecall(model: ChatModel, wish: RecallWish, reader: Reader): ChatModel;
}

export interface MemoryServicesOptions {
  database: Database;
  embeddings: Embeddings;
  embeddingsModel: string | undefined;
  notesModel: string | undefined;
  /** @throws AppError `model_not_found` */
  resolve: (model: string, caller: Caller) => ChatModel;
  now: () => number;
  newId: () => string;
  onError: (error: unknown) => void;
}

export function openMemory(options: MemoryServicesOptions): MemoryServices {
  const { database, embeddings, embeddingsModel, notesModel, resolve, now, newId, onError } = options;
  const embedder =
    embeddingsModel === undefined ? builtInEmbedder : createModelEmbedder(embeddingsModel, embeddings);
  const search = createSearch({ database, embedder, now, onError });
  const memory = createMemory({
    database,
    search,
    count: roughTokens,
    summarise: notesModel === undefined ? undefined : createSummarise({ model: notesModel, resolve, now }),
    onError,
  });
  const documents = createDocuments({ database, search, reader: createDocumentReader(), now, newId });
  const preferences = createPreferences(database, now);
  const recall = {
    search,
    preferences,
    titlesOf: documents.titlesOf,
    loadCounter: () => loadTokenCounter('o200k_base'),
    onError,
  };
  return {
    search,
    memory,
    documents,
    preferences,
    withRecall: (model, wish, owner) => withRecall(model, wish, { ...recall, owner }),
  };
}
