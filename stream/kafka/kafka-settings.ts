import { readFileSync } from "node:fs";
import { StreamError } from "../stream-error.js";
import type { Compression } from "./compression-names.js";

export const SASL_MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

/** Where a secret stands: never in the settings themselves, so that it cannot be printed with them. */
export type SecretPlace = { readonly file: string } | { readonly environment: string };

/** How to reach a Kafka cluster; docs/kafka.md lists the options that make it. */
export interface KafkaSettings {
  readonly brokers: readonly string[]; // HOST:PORT
  /** Stands in the broker's log, and decides the order in which a group shares partitions. */
  readonly clientId: string;
  /** Set before the names of topics and groups, where several Portolans share a cluster. */
  readonly prefix?: string;
  readonly tls?: {
    readonly caFile?: string; // PEM; the system's authorities unless told
    readonly certFile?: string; // PEM, with keyFile: who we are, where the broker asks
    readonly keyFile?: string;
  };
  readonly sasl?: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: SecretPlace };
  /** lz4 unless told; gzip where the native codec has no binary for this platform. */
  readonly compression?: Compression;
  /** Copies of each topic that is made; 3, or as many as there are brokers, unless told. */
  readonly replication?: number;
  /** Told what an operator should know, one line each; never a secret. */
  readonly say?: (level: "info" | "warn" | "error", line: string) => void;
}

/** The same with what its files hold, for the client alone. */
export interface OpenedSettings extends Omit<KafkaSettings, "tls" | "sasl"> {
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
  readonly sasl:
    | { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string }
    | undefined;
}

function read(what: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StreamError("setting", `Cannot read the ${what} for Kafka: ${why}`, false, { cause });
  }
}

function readSecret(what: string, place: SecretPlace): string {
  const secret = "file" in place ? read(what, place.file) : process.env[place.environment];
  const where = "file" in place ? `file "${place.file}"` : `environment variable ${place.environment}`;
  // Editors and `echo` end a file with a newline that is no part of the secret.
  const text = secret?.replace(/\r?\n$/, "");
  if (text === undefined || text === "") {
    throw new StreamError("setting", `Cannot read the ${what} for Kafka: ${where} is empty; wanted the secret`, false);
  }
  return text;
}

/** @throws {StreamError} With code "setting" where a file or variable gives nothing. */
export function openSettings(settings: KafkaSettings): OpenedSettings {
  const { tls, sasl, ...rest } = settings;
  return {
    ...rest,
    tls: tls && {
      ...(tls.caFile === undefined ? {} : { ca: read("certificate authority", tls.caFile) }),
      ...(tls.certFile === undefined ? {} : { cert: read("client certificate", tls.certFile) }),
      ...(tls.keyFile === undefined ? {} : { key: read("client key", tls.keyFile) }),
    },
    sasl: sasl && {
      mechanism: sasl.mechanism,
      username: sasl.username,
      password: readSecret("password", sasl.password),
    },
  };
}
