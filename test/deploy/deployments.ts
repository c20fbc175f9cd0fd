import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** One way in which a file of ours starts portolan. */
export interface Start {
  readonly where: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly settings?: string; // text of the portolan.yaml that it finds
}

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly { readonly configMap?: { readonly name: string } }[];
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

export const read = (path: string) => readFileSync(`${ROOT}${path}`, "utf8");
const names = (folder: string, ending: string) =>
  readdirSync(`${ROOT}${folder}`).filter((name) => name.endsWith(ending));

export const services = (): Readonly<Record<string, Service>> =>
  (parse(read("docker-compose.yml")) as { services: Record<string, Service> }).services;

export function manifests(): Manifest[] {
  return names("deploy/kubernetes", ".yaml")
    .filter((name) => name !== "kustomization.yaml")
    .flatMap((name) => parseAllDocuments(read(`deploy/kubernetes/${name}`)).map((one) => one.toJS() as Manifest));
}

export const units = () => names("deploy/systemd", ".service").map((name) => `deploy/systemd/${name}`);

function composeStarts(): Start[] {
  return Object.entries(services())
    .filter(([, { image }]) => image.startsWith("portolan:"))
    .map(([name, { command = [], environment = {}, volumes = [] }]) => {
      const mount = volumes.map((volume) => volume.split(":")).find(([, at]) => at === environment.PORTOLAN_CONFIG);
      const env = Object.entries(environment).map(([key, value]) => [key, value.replace(/\$\{\w+:-(.*?)\}/g, "$1")]);
      const settings = mount?.[0] === undefined ? {} : { settings: read(mount[0]) };
      return { where: `docker-compose.yml, ${name}`, args: command, env: Object.fromEntries(env), ...settings };
    });
}

function unitStarts(): Start[] {
  return units().flatMap((path) =>
    [...read(path).matchAll(/^Exec\w+=[-+!:@]*\/opt\/portolan\/bin\/portolan (.*)$/gm)].map(([, args = ""]) => ({
      where: path,
      args: args.split(/\s+/),
      env: {},
      settings: read("deploy/systemd/portolan.yaml"),
    })),
  );
}

function podStarts(): Start[] {
  const all = manifests();
  return all.flatMap(({ kind, spec }) => {
    const pod = spec?.template?.spec;
    return (pod?.containers ?? []).map(({ name, args = [], env = [] }) => {
      const mapped = pod?.volumes?.find(({ configMap }) => configMap !== undefined)?.configMap?.name;
      const settings = all.find((one) => one.kind === "ConfigMap" && one.metadata.name === mapped)?.data?.[
        "portolan.yaml"
      ];
      // The address that the kubelet puts in is as good as any.
      const variables = env.flatMap(({ name, value }) =>
        value === undefined ? [] : [[name, value.replaceAll("$(HOST_IP)", "192.0.2.1")]],
      );
      return {
        where: `deploy/kubernetes, ${kind} ${name}`,
        args,
        env: Object.fromEntries(variables),
        ...(settings === undefined ? {} : { settings }),
      };
    });
  });
}

function imageStarts(): Start[] {
  const [, command = "[]"] = /^CMD (\[.*\])$/m.exec(read("deploy/Dockerfile")) ?? [];
  return [{ where: "deploy/Dockerfile", args: JSON.parse(command) as string[], env: {} }];
}

/** Every command line of the files that deploy us, with the settings that it finds. */
export const starts = (): Start[] => [...imageStarts(), ...composeStarts(), ...unitStarts(), ...podStarts()];
