// SPDX-License-Identifier: GPL-2.0-only
/* Files that a measured guest is made of. */
#include "harness/guest_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/util.h"
#include "harness/yaml.h"

static const char *const keys[NR_GUEST_FILES] = { GUEST_FILE_KEYS };

int guest_file_read(const struct yaml_node *node, const char *key, int mode, char **path)
{
	autofree char *example = xasprintf("'%s: /PATH/TO/FILE'", key);
	struct stat st;
	int ret = yaml_expect(node, YAML_TEXT, key, example);

	if (ret)
		return ret;
	/* The file is copied to the results and read again in the lab: relative to what? */
	if (*node->text != '/')
		return yaml_error(node, "%s: '%.200s' is no absolute path: begin it with /", key,
				  node->text);
	if (strpbrk(node->text, " \t\n,:;"))
		return yaml_error(node,
				  "%s: '%.200s' has a character that QEMU or the loader reads as "
				  "a separator: rename it",
				  key, node->text);
	if (stat(node->text, &st) || access(node->text, mode))
		return yaml_error(node,
				  "%s: cannot use '%.200s': %s: check the path (the virtual lab "
				  "sees this machine's /, but not what is mounted on /run or /dev)",
				  key, node->text, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return yaml_error(node, "%s: '%.200s' is no file: name the file itself", key,
				  node->text);
	*path = xstrdup(node->text);
	return 0;
}

int guest_files_read(const struct yaml_node *map, struct guest_files *files)
{
	int ret = 0;

	for (size_t i = 0; map && i < NR_GUEST_FILES && !ret; i++) {
		const struct yaml_node *node = yaml_get(map, keys[i]);

		if (node)
			ret = guest_file_read(node, keys[i], i == GUEST_QEMU ? R_OK | X_OK : R_OK,
					      &files->paths[i]);
	}
	return ret;
}

void guest_files_free(struct guest_files *files)
{
	for (size_t i = 0; i < NR_GUEST_FILES; i++)
		free(files->paths[i]);
	*files = (struct guest_files){ 0 };
}

json_t *guest_files_json(const struct guest_files *files)
{
	json_t *json = json_object();

	for (size_t i = 0; i < NR_GUEST_FILES; i++)
		if (files->paths[i])
			json_object_set_new(json, keys[i], json_string(files->paths[i]));
	return json;
}

/* Two builds may have one version and one name. */
json_t *guest_files_identity(const struct guest_files *files)
{
	json_t *json = json_object();

	for (size_t i = 0; i < NR_GUEST_FILES; i++) {
		autofree char *hash = files->paths[i] ? file_hash(files->paths[i]) : NULL;

		if (files->paths[i])
			json_object_set_new(
				json, keys[i],
				json_pack("{s:s, s:s?}", "path", files->paths[i], "fnv1a", hash));
	}
	return json;
}

/* The boot protocol's header: "HdrS" at 0x202, the version's place, less 0x200, at 0x20e. */
char *guest_files_kernel_version(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char header[0x210];
	char text[128] = "";

	if (fd < 0 || pread(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header + 0x202, "HdrS", 4) != 0 ||
	    pread(fd, text, sizeof(text) - 1, 0x200 + header[0x20e] + 256 * header[0x20f]) <= 0)
		return NULL;
	text[strcspn(text, " ")] = '\0'; /* then come its builder and date */
	return xstrdup(text);
}
