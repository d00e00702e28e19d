// swift-format-ignore-file
/// The description of the Admin API, byte for byte `docs/openapi/admin.yaml`; a test holds the two together.
enum OpenAPIDocument {
  static let text = #"""
    openapi: 3.1.0
    info:
      title: Torhaus Admin API
      version: "1"
      summary: Tenants, keys, people, quotas, usage and the sealed log of one installation.
      description: |
        Listens on a loopback address of its own. A person's admin token (`tha_…`) goes into the Authorization header; what
        it may do follows from its person's role bindings, and nothing is allowed by default. What belongs to a tenant that
        the caller has no role in is answered by the same 404 as what does not exist. Every change, and every opening of
        content, is written to the audit trail before it takes effect. Members are in snake_case, times in RFC 3339, money
        is decimal text. Unknown members and parameters are refused. Each answer carries `x-request-id`.
      license: {name: Apache-2.0, identifier: Apache-2.0}
    servers:
      - url: http://127.0.0.1:8081
    security:
      - admin: []
    paths:
      /livez:
        get:
          operationId: livez
          tags: [health]
          summary: The process is alive
          security: []
          responses:
            "200":
              description: Done.
              content: {text/plain: {schema: {type: string}}}
            default: {$ref: '#/components/responses/Refused'}
      /readyz:
        get:
          operationId: readyz
          tags: [health]
          summary: Whether the installation can serve
          description: |
            Without login the answer is `ready` alone. With a token whose person holds `installation.manage` at the
            installation it also says what stands in the way. A token that is not right is refused.
          security: [{}, {admin: []}]
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Readiness'}}}
            "503":
              description: Not ready.
              content: {application/json: {schema: {$ref: '#/components/schemas/Readiness'}}}
            default: {$ref: '#/components/responses/Refused'}
      /metrics:
        get:
          operationId: metrics
          tags: [health]
          summary: Metrics in Prometheus text format
          description: |
            Needs `installation.manage` at the installation. From a loopback address any permission at the installation
            suffices, such as those of `operator-viewer`: a scraper needs no power over what it watches.
          responses:
            "200":
              description: Done.
              content: {text/plain: {schema: {type: string}}}
            default: {$ref: '#/components/responses/Refused'}
      /openapi.yaml:
        get:
          operationId: openapi
          tags: [health]
          summary: This document
          security: []
          responses:
            "200":
              description: Done.
              content: {application/yaml: {schema: {type: string}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/me:
        get:
          operationId: me
          tags: [people]
          summary: Who the token belongs to and what it may do
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Identity'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants:
        get:
          operationId: tenant.list
          tags: [tenants]
          summary: The tenants that you may see
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/Tenant'}}}
            default: {$ref: '#/components/responses/Refused'}
        post:
          operationId: tenant.create
          tags: [tenants]
          summary: Create a tenant
          requestBody:
            required: true
            content: {application/json: {schema: {$ref: '#/components/schemas/TenantDraft'}}}
          responses:
            "201":
              description: Created.
              content: {application/json: {schema: {$ref: '#/components/schemas/Tenant'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        get:
          operationId: tenant.show
          tags: [tenants]
          summary: One tenant
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Tenant'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/suspend:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        post:
          operationId: tenant.suspend
          tags: [tenants]
          summary: Refuse its traffic; undone by resume
          requestBody:
            required: false
            content: {application/json: {schema: {$ref: '#/components/schemas/Reason'}}}
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Tenant'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/resume:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        post:
          operationId: tenant.resume
          tags: [tenants]
          summary: Serve it again
          requestBody:
            required: false
            content: {application/json: {schema: {$ref: '#/components/schemas/Reason'}}}
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Tenant'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/projects:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        get:
          operationId: project.list
          tags: [tenants]
          summary: The projects that you may see
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/Project'}}}
            default: {$ref: '#/components/responses/Refused'}
        post:
          operationId: project.create
          tags: [tenants]
          summary: Create a project
          requestBody:
            required: true
            content: {application/json: {schema: {$ref: '#/components/schemas/ProjectDraft'}}}
          responses:
            "201":
              description: Created.
              content: {application/json: {schema: {$ref: '#/components/schemas/Project'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/keys:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        get:
          operationId: key.list
          tags: [keys]
          summary: API keys, without their secrets
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/Key'}}}
            default: {$ref: '#/components/responses/Refused'}
        post:
          operationId: key.create
          tags: [keys]
          summary: Create an API key; its text is in this answer and in no other
          requestBody:
            required: true
            content: {application/json: {schema: {$ref: '#/components/schemas/KeyDraft'}}}
          responses:
            "201":
              description: Created.
              content: {application/json: {schema: {$ref: '#/components/schemas/IssuedKey'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/keys/{key}/revoke:
        parameters:
          - $ref: '#/components/parameters/Tenant'
          - $ref: '#/components/parameters/KeyPath'
        post:
          operationId: key.revoke
          tags: [keys]
          summary: Revoke a key for good, within a second
          requestBody:
            required: false
            content: {application/json: {schema: {$ref: '#/components/schemas/Reason'}}}
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Key'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/keys/{key}/rotate:
        parameters:
          - $ref: '#/components/parameters/Tenant'
          - $ref: '#/components/parameters/KeyPath'
        post:
          operationId: key.rotate
          tags: [keys]
          summary: Make a successor; the old key lives on for the overlap
          requestBody:
            required: false
            content: {application/json: {schema: {$ref: '#/components/schemas/Rotation'}}}
          responses:
            "201":
              description: Created.
              content: {application/json: {schema: {$ref: '#/components/schemas/IssuedKey'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/users:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        get:
          operationId: user.list
          tags: [people]
          summary: People of the tenant
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/User'}}}
            default: {$ref: '#/components/responses/Refused'}
        post:
          operationId: user.create
          tags: [people]
          summary: Add a person to the tenant
          requestBody:
            required: true
            content: {application/json: {schema: {$ref: '#/components/schemas/UserDraft'}}}
          responses:
            "201":
              description: Created.
              content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/users/{user}/tokens:
        parameters:
          - $ref: '#/components/parameters/Tenant'
          - $ref: '#/components/parameters/User'
        post:
          operationId: user.token
          tags: [people]
          summary: Make an admin token for a person who holds no more than you do
          requestBody:
            required: false
            content: {application/json: {schema: {$ref: '#/components/schemas/TokenDraft'}}}
          responses:
            "201":
              description: Created.
              content: {application/json: {schema: {$ref: '#/components/schemas/IssuedToken'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/users:
        get:
          operationId: operator.list
          tags: [people]
          summary: People of the operator
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/User'}}}
            default: {$ref: '#/components/responses/Refused'}
        post:
          operationId: operator.create
          tags: [people]
          summary: Add a person of the operator
          requestBody:
            required: true
            content: {application/json: {schema: {$ref: '#/components/schemas/UserDraft'}}}
          responses:
            "201":
              description: Created.
              content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/users/{user}/tokens:
        parameters:
          - $ref: '#/components/parameters/User'
        post:
          operationId: operator.token
          tags: [people]
          summary: Make an admin token for a person of the operator
          requestBody:
            required: false
            content: {application/json: {schema: {$ref: '#/components/schemas/TokenDraft'}}}
          responses:
            "201":
              description: Created.
              content: {application/json: {schema: {$ref: '#/components/schemas/IssuedToken'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/roles:
        get:
          operationId: role.list
          tags: [people]
          summary: The roles of the policy set in force
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/Role'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/bindings:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        get:
          operationId: binding.list
          tags: [people]
          summary: Who holds which role in the tenant
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/Binding'}}}
            default: {$ref: '#/components/responses/Refused'}
        post:
          operationId: role.bind
          tags: [people]
          summary: Grant a role; never your own, never more than you hold
          requestBody:
            required: true
            content: {application/json: {schema: {$ref: '#/components/schemas/BindingDraft'}}}
          responses:
            "201":
              description: Created.
              content: {application/json: {schema: {$ref: '#/components/schemas/Binding'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/bindings/{binding}:
        parameters:
          - $ref: '#/components/parameters/Tenant'
          - $ref: '#/components/parameters/Binding'
        delete:
          operationId: role.unbind
          tags: [people]
          summary: Take a role away; never your own
          responses:
            "204": {description: Gone.}
            default: {$ref: '#/components/responses/Refused'}
      /v1/bindings:
        get:
          operationId: operator.binding.list
          tags: [people]
          summary: Who holds which role on the installation
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/Binding'}}}
            default: {$ref: '#/components/responses/Refused'}
        post:
          operationId: operator.bind
          tags: [people]
          summary: Grant a role on the installation
          requestBody:
            required: true
            content: {application/json: {schema: {$ref: '#/components/schemas/BindingDraft'}}}
          responses:
            "201":
              description: Created.
              content: {application/json: {schema: {$ref: '#/components/schemas/Binding'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/bindings/{binding}:
        parameters:
          - $ref: '#/components/parameters/Binding'
        delete:
          operationId: operator.unbind
          tags: [people]
          summary: Take a role on the installation away
          responses:
            "204": {description: Gone.}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/quota:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        get:
          operationId: quota.show
          tags: [quota]
          summary: Limits and their use, of the tenant or of one key
          parameters:
            - $ref: '#/components/parameters/KeyQuery'
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Quota'}}}
            default: {$ref: '#/components/responses/Refused'}
        put:
          operationId: quota.set
          tags: [quota]
          summary: Set the limits that are named; null lifts one
          parameters:
            - $ref: '#/components/parameters/KeyQuery'
          requestBody:
            required: true
            content: {application/json: {schema: {$ref: '#/components/schemas/QuotaChange'}}}
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Quota'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/usage:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        get:
          operationId: usage.show
          tags: [quota]
          summary: Use by project, key and alias; totals are the sums of the rows
          parameters:
            - $ref: '#/components/parameters/FromDay'
            - $ref: '#/components/parameters/ToDay'
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Usage'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/log:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        get:
          operationId: log.list
          tags: [log]
          summary: Metadata of requests, newest first
          parameters:
            - $ref: '#/components/parameters/Limit'
            - $ref: '#/components/parameters/Cursor'
            - $ref: '#/components/parameters/From'
            - $ref: '#/components/parameters/To'
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/LogEntry'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/log/{request}:
        parameters:
          - $ref: '#/components/parameters/Tenant'
          - $ref: '#/components/parameters/Request'
        get:
          operationId: log.show
          tags: [log]
          summary: Metadata of one request
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/LogEntry'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/log/{request}/content:
        parameters:
          - $ref: '#/components/parameters/Tenant'
          - $ref: '#/components/parameters/Request'
        post:
          operationId: log.open
          tags: [log]
          summary: Open the content of one request, with a reason; audited before the first byte
          requestBody:
            required: true
            content: {application/json: {schema: {$ref: '#/components/schemas/Opening'}}}
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Content'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/log/verify:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        post:
          operationId: log.verify
          tags: [log]
          summary: Check the log for changes, cuts and gaps
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Verification'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/audit:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        get:
          operationId: audit.list
          tags: [log]
          summary: Who changed or opened what in the tenant, newest first
          parameters:
            - $ref: '#/components/parameters/Limit'
            - $ref: '#/components/parameters/Cursor'
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/AuditEntry'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/audit:
        get:
          operationId: operator.audit.list
          tags: [log]
          summary: Who changed what on the installation, newest first
          parameters:
            - $ref: '#/components/parameters/Limit'
            - $ref: '#/components/parameters/Cursor'
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/AuditEntry'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/tenants/{tenant}/route:
        parameters:
          - $ref: '#/components/parameters/Tenant'
        get:
          operationId: route.why
          tags: [providers]
          summary: Where a request for an alias would go, and why not elsewhere
          description: |
            Judges every candidate of the alias by the rules of the data plane, and sends nothing. `most` is what the request
            can cost at most, in the tenant's currency. With `key` or `project` it also says whether those keys may use the
            alias (for a policy with networks: not without one). What providers are doing now (`resting`, `full`, `breaker`)
            is told to those who may read providers at the installation.
          parameters:
            - $ref: '#/components/parameters/Alias'
            - $ref: '#/components/parameters/Project'
            - $ref: '#/components/parameters/KeyQuery'
            - $ref: '#/components/parameters/Tokens'
            - $ref: '#/components/parameters/Needs'
            - $ref: '#/components/parameters/Tier'
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/Route'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/providers:
        get:
          operationId: provider.list
          tags: [providers]
          summary: The provider register in force, with prices; credentials by name
          responses:
            "200":
              description: Done.
              content:
                application/json:
                  schema:
                    allOf: [{$ref: '#/components/schemas/Page'}]
                    properties: {data: {type: array, items: {$ref: '#/components/schemas/Provider'}}}
            default: {$ref: '#/components/responses/Refused'}
      /v1/providers/{provider}/check:
        parameters:
          - $ref: '#/components/parameters/ProviderPath'
        post:
          operationId: provider.check
          tags: [providers]
          summary: Ask a provider for its models; no content is sent
          description: |
            By the credential and the connection of the register, within ten seconds. The answer holds no text of the
            provider's beyond a status.
          responses:
            "200":
              description: Done.
              content: {application/json: {schema: {$ref: '#/components/schemas/ProviderCheck'}}}
            default: {$ref: '#/components/responses/Refused'}
    components:
      securitySchemes:
        admin: {type: http, scheme: bearer, description: "An admin token, tha_…"}
      parameters:
        Tenant: {name: tenant, in: path, required: true, schema: {$ref: '#/components/schemas/Slug'}}
        KeyPath: {name: key, in: path, required: true, schema: {$ref: '#/components/schemas/Id'}}
        User: {name: user, in: path, required: true, schema: {$ref: '#/components/schemas/Id'}}
        Binding: {name: binding, in: path, required: true, schema: {$ref: '#/components/schemas/Id'}}
        Request: {name: request, in: path, required: true, description: The x-request-id of the answer, schema: {type: string, maxLength: 64}}
        KeyQuery: {name: key, in: query, schema: {$ref: '#/components/schemas/Id'}}
        Alias: {name: alias, in: query, required: true, schema: {type: string, maxLength: 64}}
        Project: {name: project, in: query, description: Its keys are looked at, schema: {$ref: '#/components/schemas/Slug'}}
        Tokens: {name: tokens, in: query, description: Of the prompt, schema: {type: integer, minimum: 0, maximum: 100000000, default: 1000}}
        Needs: {name: needs, in: query, description: "Capabilities, with commas: images, audio, files, tools, json-schema, reasoning, moderation, rerank, image-generation, speech, transcription, translation", schema: {type: string}}
        Tier: {name: tier, in: query, description: "The service tier that the request names: auto, default, flex, priority, scale, fast", schema: {type: string}}
        ProviderPath: {name: provider, in: path, required: true, schema: {type: string, maxLength: 63}}
        Limit: {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 1000, default: 100}}
        Cursor: {name: cursor, in: query, description: The value of next of the page before, schema: {type: string}}
        From: {name: from, in: query, description: RFC 3339 or a day in UTC, schema: {type: string}}
        To: {name: to, in: query, description: RFC 3339 or a day in UTC; not included, schema: {type: string}}
        FromDay: {name: from, in: query, description: "A day in the tenant's time zone, or RFC 3339, which means its whole day; 30 days before to if absent", schema: {type: string}}
        ToDay: {name: to, in: query, description: "A day in the tenant's time zone, not included, or RFC 3339, whose day counts whole; today counts if absent", schema: {type: string}}
      responses:
        Refused:
          description: |
            400 invalid_request, 401 not_logged_in, 403 forbidden, 404 not_found (unknown and foreign alike), 405
            method_not_allowed, 409 conflict, 413 body_too_large, 429 too_many_failures or limit_reached, 500 internal,
            503 unavailable.
          content: {application/json: {schema: {$ref: '#/components/schemas/Refusal'}}}
      schemas:
        Id: {type: string, pattern: '^[0-9a-f]{32}$'}
        Slug: {type: string, pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'}
        Time: {type: string, format: date-time}
        Money: {type: string, pattern: '^-?[0-9]+([.][0-9]{1,9})?$'}
        Refusal:
          type: object
          required: [error]
          properties:
            error:
              type: object
              required: [code, message]
              properties: {code: {type: string}, message: {type: string}, hint: {type: string}, param: {type: string}}
        Page:
          type: object
          required: [data]
          properties: {data: {type: array}, next: {type: string, description: Absent on the last page}}
        Reason:
          type: object
          additionalProperties: false
          properties: {reason: {type: string, maxLength: 500}}
        Readiness:
          type: object
          required: [ready]
          properties:
            ready: {type: boolean}
            checks:
              description: For those who hold installation.manage.
              type: array
              items:
                type: object
                properties: {name: {type: string}, ready: {type: boolean}, detail: {type: string}}
        Identity:
          type: object
          required: [user, name, bindings]
          properties:
            user: {$ref: '#/components/schemas/Id'}
            name: {type: string}
            bindings: {type: array, items: {$ref: '#/components/schemas/Binding'}}
        Tenant:
          type: object
          required: [id, slug, name, state, created_at]
          properties:
            id: {$ref: '#/components/schemas/Id'}
            slug: {$ref: '#/components/schemas/Slug'}
            name: {type: string}
            policy: {type: string}
            state: {enum: [active, suspended]}
            created_at: {$ref: '#/components/schemas/Time'}
        TenantDraft:
          type: object
          additionalProperties: false
          required: [slug]
          properties:
            slug: {$ref: '#/components/schemas/Slug'}
            name: {type: string, maxLength: 200}
            policy: {type: string, description: "Pinned, as fiduciary@5"}
        Project:
          type: object
          required: [id, slug, name, created_at]
          properties:
            id: {$ref: '#/components/schemas/Id'}
            slug: {$ref: '#/components/schemas/Slug'}
            name: {type: string}
            created_at: {$ref: '#/components/schemas/Time'}
        ProjectDraft:
          type: object
          additionalProperties: false
          required: [slug]
          properties:
            slug: {$ref: '#/components/schemas/Slug'}
            name: {type: string, maxLength: 200}
        Key:
          type: object
          required: [id, name, state, created_at]
          properties:
            id: {$ref: '#/components/schemas/Id'}
            name: {type: string}
            project: {$ref: '#/components/schemas/Slug'}
            user: {$ref: '#/components/schemas/Id'}
            role: {type: string}
            state: {enum: [active, revoked, expired]}
            created_at: {$ref: '#/components/schemas/Time'}
            expires_at: {$ref: '#/components/schemas/Time'}
            last_used_at: {$ref: '#/components/schemas/Time'}
        KeyDraft:
          type: object
          additionalProperties: false
          required: [project, name]
          properties:
            project: {$ref: '#/components/schemas/Slug'}
            name: {type: string, maxLength: 200}
            user: {$ref: '#/components/schemas/Id'}
            role: {type: string, description: A role of the policy set; you must hold what a key can use of it}
            expires_at: {$ref: '#/components/schemas/Time'}
        IssuedKey:
          type: object
          required: [key, record]
          properties:
            key: {type: string, description: "The key's text, th_…; shown here only"}
            record: {$ref: '#/components/schemas/Key'}
        Rotation:
          type: object
          additionalProperties: false
          properties: {overlap_seconds: {type: integer, minimum: 0, maximum: 2592000, default: 86400}}
        User:
          type: object
          required: [id, name, email, state, created_at]
          properties:
            id: {$ref: '#/components/schemas/Id'}
            name: {type: string}
            email: {type: string}
            state: {enum: [active, suspended]}
            created_at: {$ref: '#/components/schemas/Time'}
        UserDraft:
          type: object
          additionalProperties: false
          required: [name, email]
          properties: {name: {type: string, maxLength: 200}, email: {type: string, minLength: 3, maxLength: 200}}
        TokenDraft:
          type: object
          additionalProperties: false
          properties: {lifetime_seconds: {type: integer, minimum: 60, maximum: 7776000, default: 43200}}
        IssuedToken:
          type: object
          required: [token, expires_at]
          properties:
            token: {type: string, description: "The token's text, tha_…; shown here only"}
            expires_at: {$ref: '#/components/schemas/Time'}
        Role:
          type: object
          required: [name, scope, permissions]
          properties:
            name: {type: string}
            scope: {enum: [project, tenant, installation]}
            permissions: {type: array, items: {type: string}}
        Binding:
          type: object
          required: [id, user, role, scope, reason, granted_at]
          properties:
            id: {$ref: '#/components/schemas/Id'}
            user: {$ref: '#/components/schemas/Id'}
            user_name: {type: string}
            role: {type: string}
            scope: {enum: [project, tenant, installation]}
            tenant: {$ref: '#/components/schemas/Slug'}
            project: {$ref: '#/components/schemas/Slug'}
            reason: {type: string}
            expires_at: {$ref: '#/components/schemas/Time'}
            granted_at: {$ref: '#/components/schemas/Time'}
        BindingDraft:
          type: object
          additionalProperties: false
          required: [user, role, reason]
          properties:
            user: {$ref: '#/components/schemas/Id'}
            role: {type: string}
            project: {$ref: '#/components/schemas/Slug'}
            reason: {type: string, minLength: 3, maxLength: 200}
            expires_at: {$ref: '#/components/schemas/Time'}
        Amount:
          description: A count, or decimal text where the kind is money.
          oneOf: [{type: integer, minimum: 0}, {$ref: '#/components/schemas/Money'}]
        Quota:
          type: object
          required: [limits]
          properties:
            key: {$ref: '#/components/schemas/Id'}
            limits:
              type: array
              items:
                type: object
                required: [kind]
                properties:
                  kind: {enum: [tokens_per_minute, requests_per_minute, concurrency, tokens_per_day, tokens_per_month, money_per_day, money_per_month]}
                  limit: {$ref: '#/components/schemas/Amount'}
                  used: {$ref: '#/components/schemas/Amount'}
                  reserved: {$ref: '#/components/schemas/Amount'}
                  resets_at: {$ref: '#/components/schemas/Time'}
                  currency: {type: string}
        QuotaChange:
          type: object
          additionalProperties: false
          minProperties: 1
          properties:
            tokens_per_minute: {type: [integer, 'null'], minimum: 0}
            requests_per_minute: {type: [integer, 'null'], minimum: 0}
            concurrency: {type: [integer, 'null'], minimum: 0}
            tokens_per_day: {type: [integer, 'null'], minimum: 0}
            tokens_per_month: {type: [integer, 'null'], minimum: 0}
            money_per_day: {type: [string, integer, 'null']}
            money_per_month: {type: [string, integer, 'null']}
        Sums:
          type: object
          required: [requests, input_tokens, output_tokens, cost]
          properties:
            requests: {type: integer}
            input_tokens: {type: integer}
            output_tokens: {type: integer}
            cost: {$ref: '#/components/schemas/Money'}
        Usage:
          type: object
          required: [from, to, currency, rows, totals]
          properties:
            from: {$ref: '#/components/schemas/Time'}
            to: {$ref: '#/components/schemas/Time'}
            currency: {type: string}
            rows:
              type: array
              items:
                allOf: [{$ref: '#/components/schemas/Sums'}]
                properties:
                  project: {type: string}
                  key: {$ref: '#/components/schemas/Id'}
                  key_name: {type: string}
                  alias: {type: string}
            totals: {$ref: '#/components/schemas/Sums'}
        LogEntry:
          type: object
          required: [request_id, time, status, exit, input_tokens, output_tokens, cost, currency, findings, mode]
          properties:
            request_id: {type: string}
            time: {$ref: '#/components/schemas/Time'}
            project: {type: string}
            key: {$ref: '#/components/schemas/Id'}
            user: {$ref: '#/components/schemas/Id'}
            alias: {type: string}
            provider: {type: string}
            model: {type: string}
            status: {type: integer}
            exit: {type: string}
            input_tokens: {type: integer}
            output_tokens: {type: integer}
            cost: {$ref: '#/components/schemas/Money'}
            currency: {type: string}
            findings:
              type: array
              items: {type: object, properties: {class: {type: string}, count: {type: integer}}}
            mode: {enum: [managed, write-only, 'off']}
        Route:
          type: object
          required: [alias, policy, currency, order, callers, candidates]
          properties:
            alias: {type: string}
            policy: {type: string}
            currency: {type: string}
            order: {enum: [listed, cheapest, weighted, least-outstanding]}
            rule: {type: string, description: By which the alias is not the tenant's at all; absent if it is}
            callers:
              type: array
              items:
                type: object
                required: [key, name, role, allowed]
                properties:
                  key: {$ref: '#/components/schemas/Id'}
                  name: {type: string}
                  role: {type: string}
                  allowed: {type: boolean}
                  rule: {type: string}
            candidates:
              type: array
              items:
                type: object
                required: [provider, model, country, weight, verdict, detail]
                properties:
                  provider: {type: string}
                  model: {type: string}
                  country: {type: string}
                  weight: {type: integer}
                  verdict: {enum: [first, usable, refused]}
                  rule:
                    description: |
                      compliance.countries, compliance.agreement, compliance.agreement-expired, compliance.training,
                      compliance.retention, compliance.certificates, secrecy.undertaking, price, credential, connection,
                      adapter, capability, tier, context, resting, full or breaker
                    type: string
                  detail: {type: string}
                  most: {$ref: '#/components/schemas/Money'}
                  tiers: {type: array, items: {type: string}, description: "What has prices of its own, such as flex or default above 200000; absent where there is one price"}
        Provider:
          type: object
          required: [id, adapter, endpoint, local, country, agreement, certificates, retention_days, training, models]
          properties:
            id: {type: string}
            adapter: {type: string}
            endpoint: {type: string}
            local: {type: boolean}
            credential: {type: string, description: Its name}
            country: {type: string}
            agreement:
              type: object
              required: [kind, secrecy_undertaking]
              properties: {kind: {enum: [none, avv, own]}, expires: {type: string, format: date}, secrecy_undertaking: {type: boolean}}
            certificates:
              type: array
              items: {type: object, properties: {name: {type: string}, valid_until: {type: string, format: date}}}
            retention_days: {type: integer}
            training: {enum: [never, opt-out, allowed]}
            models:
              type: array
              items:
                type: object
                required: [id, max_output, price]
                properties:
                  id: {type: string}
                  max_output: {type: integer}
                  context: {type: integer}
                  capabilities: {type: array, items: {type: string}, description: Absent where nobody wrote them down}
                  price:
                    description: Per 1,000,000 tokens.
                    type: object
                    required: [version, currency, input, cached, cache_write_5m, cache_write_1h, output]
                    properties:
                      version: {type: string}
                      currency: {type: string}
                      input: {$ref: '#/components/schemas/Money'}
                      cached: {$ref: '#/components/schemas/Money'}
                      cache_write_5m: {$ref: '#/components/schemas/Money'}
                      cache_write_1h: {$ref: '#/components/schemas/Money'}
                      output: {$ref: '#/components/schemas/Money'}
                      tiers:
                        description: What costs otherwise, by service tier and length of the prompt; absent where nothing does.
                        type: array
                        items:
                          type: object
                          required: [tier, automatic, input, cached, cache_write_5m, cache_write_1h, output]
                          properties:
                            tier: {enum: [default, flex, priority, scale, fast]}
                            above_input_tokens: {type: integer, description: Holds for longer prompts only}
                            automatic: {type: boolean, description: The provider may choose it where a request names none}
                            input: {$ref: '#/components/schemas/Money'}
                            cached: {$ref: '#/components/schemas/Money'}
                            cache_write_5m: {$ref: '#/components/schemas/Money'}
                            cache_write_1h: {$ref: '#/components/schemas/Money'}
                            output: {$ref: '#/components/schemas/Money'}
                      unit:
                        description: What is charged by the piece, beside or instead of tokens
                        type: object
                        required: [unit, amount]
                        properties: {unit: {type: string, examples: [per-search]}, amount: {$ref: '#/components/schemas/Money'}}
            fault: {type: string, description: Why it cannot be called at all}
        ProviderCheck:
          type: object
          required: [provider, outcome, good, detail, missing]
          properties:
            provider: {type: string}
            outcome: {enum: [ok, models_missing, connected, no_list, credential_missing, credential_refused, forbidden, rate_limited, failed, unreachable, not_callable]}
            good: {type: boolean}
            status: {type: integer}
            milliseconds: {type: integer}
            detail: {type: string}
            missing: {type: array, items: {type: string}, description: Models of the register that are not in the provider's list}
        Opening:
          type: object
          additionalProperties: false
          required: [reason]
          properties: {reason: {type: string, minLength: 10, maxLength: 500}}
        Part:
          description: Text where the bytes are UTF-8, else base64.
          type: object
          properties: {text: {type: string}, base64: {type: string}}
        Content:
          type: object
          required: [entry, request, response]
          properties:
            entry: {$ref: '#/components/schemas/LogEntry'}
            request: {$ref: '#/components/schemas/Part'}
            response: {$ref: '#/components/schemas/Part'}
        Verification:
          type: object
          required: [outcome, exit_code, segments, frames, findings, notes]
          properties:
            outcome: {enum: [intact, could_not_run, torn_tail_recovered, modified, truncated, gap, erased_entries]}
            exit_code: {type: integer, minimum: 0, maximum: 6}
            segments: {type: integer}
            frames: {type: integer}
            findings:
              type: array
              items:
                type: object
                properties: {outcome: {type: string}, segment: {type: string}, detail: {type: string}}
            notes:
              description: Worth knowing and no finding, such as a crash of long ago that was recovered; no change of the outcome.
              type: array
              items:
                type: object
                properties: {outcome: {type: string}, segment: {type: string}, detail: {type: string}}
        AuditEntry:
          type: object
          required: [time, actor, actor_name, action, target, outcome, request_id]
          properties:
            time: {$ref: '#/components/schemas/Time'}
            actor: {$ref: '#/components/schemas/Id'}
            actor_name: {type: string}
            action: {type: string}
            tenant: {$ref: '#/components/schemas/Slug'}
            target: {type: string}
            reason: {type: string}
            outcome: {enum: [intended, failed]}
            request_id: {type: string}

    """#
}
