{{- define "runners.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- define "runners.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- define "runners.labels" -}}
app.kubernetes.io/name: hostler-runners
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- define "runners.secret" -}}
{{ .Values.api.existingSecret | default (printf "%s-secrets" (include "runners.name" .)) }}
{{- end }}
{{- define "runners.subject" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "runners.name" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
